package main

import (
	"slices"
	"strings"

	"github.com/rivo/uniseg"
)

const gap = "  " // between columns

// fit makes rows fit in a terminal of the given width. The first row holds the
// titles. fit removes the columns SENT, ID and EXPIRES, in this order, until the
// rows fit. If they still do not fit, it shortens the emails.
func fit(rows [][]string, width int) {
	for _, title := range []string{"SENT", "ID", "EXPIRES"} {
		if rowWidth(rows) <= width {
			return
		}
		n := slices.Index(rows[0], title)
		for i := range rows {
			rows[i] = slices.Delete(rows[i], n, n+1)
		}
	}
	n := slices.Index(rows[0], "EMAIL")
	widest := max(1, columnWidths(rows)[n]-max(0, rowWidth(rows)-width))
	for i := range rows {
		rows[i][n] = shorten(rows[i][n], widest)
	}
}

// align returns one line per row, without a newline.
func align(rows [][]string) []string {
	widths := columnWidths(rows)
	lines := make([]string, 0, len(rows))
	for _, row := range rows {
		var line strings.Builder
		for n, text := range row {
			line.WriteString(text)
			if n < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[n]-uniseg.StringWidth(text)) + gap)
			}
		}
		lines = append(lines, line.String())
	}
	return lines
}

// columnWidths returns the width of each column on a terminal, where a character
// occupies zero, one or two positions.
func columnWidths(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for n, text := range row {
			if n == len(widths) {
				widths = append(widths, 0)
			}
			widths[n] = max(widths[n], uniseg.StringWidth(text))
		}
	}
	return widths
}

func rowWidth(rows [][]string) int {
	sum := 0
	for n, width := range columnWidths(rows) {
		if n > 0 {
			sum += len(gap)
		}
		sum += width
	}
	return sum
}

// shorten cuts s to the given width and appends an ellipsis.
func shorten(s string, width int) string {
	if uniseg.StringWidth(s) <= width {
		return s
	}
	const mark = "…"
	var kept strings.Builder
	left := width - uniseg.StringWidth(mark)
	for clusters := uniseg.NewGraphemes(s); clusters.Next() && clusters.Width() <= left; left -= clusters.Width() {
		kept.WriteString(clusters.Str())
	}
	return kept.String() + mark
}
