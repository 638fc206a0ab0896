package main

import (
	"slices"
	"strings"

	"github.com/rivo/uniseg"
)

const gap = "  " // between columns

// fit leaves out columns until rows, the first of which holds the titles, fit in
// a terminal of that width: SENT, then ID, then EXPIRES. If that is not enough,
// it shortens the emails.
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

// columnWidths returns the widths on a terminal, where some characters take two
// columns and others none.
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

// shorten cuts s to that width, and marks the cut.
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
