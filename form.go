package losant

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"strings"
	"sync"

	"github.com/losant-community/losant-rest-go/internal/text"
)

// Form is a multipart/form-data body, for a [Request] that uploads files. Its parts
// are read while they are sent, and are not held in memory.
//
// RetryPolicy.AttemptTimeout does not limit the whole upload. It limits the time
// between two reads, and the time from the last read to the complete response.
//
// Once the Form has been read in part, the request is retried only if every Content
// is an [io.Seeker] and it is certain that the API did not act. This holds for every
// method. The contents must not be used until the call returns. They are not closed.
type Form struct {
	Parts []Part // in the order in which they are sent
}

// Part is one part of a [Form].
type Part struct {
	Name        string    // of the field; required
	FileName    string    // "" for a field that is not a file
	ContentType string    // by default application/octet-stream for a file, and none for any other field
	Content     io.Reader // required; sent from its current position
}

// upload is a Form as it is sent.
type upload struct {
	boundary string
	headers  []string // of the parts, and the end
	contents []io.Reader
	starts   []int64 // of the contents; nil: one of them is not an io.Seeker
	size     int64   // -1: unknown

	mu      sync.Mutex
	current *uploadReader
}

// newUpload checks form.
func newUpload(form *Form) (*upload, error) {
	if form == nil || len(form.Parts) == 0 {
		return nil, errors.New("the Form has no parts")
	}
	u := &upload{starts: []int64{}}
	var buffer bytes.Buffer
	writer := multipart.NewWriter(&buffer)
	u.boundary = writer.Boundary()
	for n, part := range form.Parts {
		if err := part.check(); err != nil {
			return nil, fmt.Errorf("the Form has an invalid Parts[%d]: %w", n, err)
		}
		_, _ = writer.CreatePart(part.header()) // a buffer never fails
		u.add(buffer.String(), part.Content)
		buffer.Reset()
	}
	_ = writer.Close()
	u.add(buffer.String(), nil)
	return u, nil
}

func (p Part) check() error {
	switch {
	case p.Name == "":
		return errors.New("the Name is empty")
	case p.Content == nil:
		return errors.New("the Content is nil")
	case text.Printable(p.Name+p.FileName) != p.Name+p.FileName:
		return errors.New("the Name or FileName has a control character, or is too long")
	}
	return checkHeader("the ContentType", p.ContentType)
}

func (p Part) header() textproto.MIMEHeader {
	header := textproto.MIMEHeader{}
	contentType := p.ContentType
	if p.FileName == "" {
		header.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"`, quoteEscaper.Replace(p.Name)))
	} else {
		header.Set("Content-Disposition", multipart.FileContentDisposition(p.Name, p.FileName))
		if contentType == "" {
			contentType = "application/octet-stream"
		}
	}
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	return header
}

var quoteEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// add appends a header and the content that follows it, if any.
func (u *upload) add(header string, content io.Reader) {
	u.headers = append(u.headers, header)
	if u.size >= 0 {
		u.size += int64(len(header))
	}
	if content == nil {
		return
	}
	u.contents = append(u.contents, content)
	start, size, ok := measure(content)
	switch {
	case !ok:
		u.starts, u.size = nil, -1
	case u.starts != nil:
		u.starts = append(u.starts, start)
		u.size += size
	}
}

// measure returns where content begins, and how long it is.
func measure(content io.Reader) (start, size int64, ok bool) {
	seeker, ok := content.(io.Seeker)
	if !ok {
		return 0, 0, false
	}
	start, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, 0, false // such as a pipe
	}
	end, err := seeker.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = seeker.Seek(start, io.SeekStart)
	}
	return start, end - start, err == nil
}

func (u *upload) contentType() string { return "multipart/form-data; boundary=" + u.boundary }

// Size returns the length of the body in bytes, or -1 if it is not known.
func (u *upload) Size() int64 { return u.size }

// CanReopen reports whether all contents can be read a second time.
func (u *upload) CanReopen() bool { return u.starts != nil }

// Open returns the body. A reader that was opened before reads no more.
func (u *upload) Open() (io.Reader, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for n, start := range u.starts {
		if _, err := u.contents[n].(io.Seeker).Seek(start, io.SeekStart); err != nil {
			return nil, err
		}
	}
	var readers []io.Reader
	for n, header := range u.headers {
		readers = append(readers, strings.NewReader(header))
		if n < len(u.contents) {
			readers = append(readers, u.contents[n])
		}
	}
	u.current = &uploadReader{u, io.MultiReader(readers...)}
	return u.current, nil
}

// uploadReader reads the body for one attempt. The transport may go on reading
// after the attempt, from another goroutine.
type uploadReader struct {
	upload *upload
	reader io.Reader
}

var errReopened = errors.New("the upload was begun anew")

func (r *uploadReader) Read(data []byte) (int, error) {
	r.upload.mu.Lock()
	defer r.upload.mu.Unlock()
	if r.upload.current != r {
		return 0, errReopened
	}
	return r.reader.Read(data)
}
