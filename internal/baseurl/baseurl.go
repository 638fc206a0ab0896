// Package baseurl checks the base URL of a client.
package baseurl

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Parse returns rawURL without a trailing slash. It accepts a scheme, a host, an
// optional port and a plain path. The scheme must be https unless the host is
// loopback or insecure is true. Errors do not quote rawURL, because an invalid one
// may contain a password.
func Parse(rawURL string, insecure bool) (*url.URL, error) {
	base, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("the base URL is not a URL")
	}
	switch {
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, errors.New("the base URL does not begin with https:// or http://")
	case base.Hostname() == "":
		return nil, errors.New("the base URL has no host")
	case base.User != nil:
		return nil, errors.New("the base URL has a user name or a password; remove it")
	case !isHost(base):
		return nil, errors.New("the host of the base URL is neither an ASCII name nor an IP address without a zone")
	case !isPort(base):
		return nil, errors.New("the port of the base URL is not between 1 and 65535")
	case strings.ContainsAny(rawURL, "?#"):
		return nil, errors.New("the base URL has a query or a fragment; remove it")
	case !isPlain(base.EscapedPath()):
		return nil, errors.New(`the path of the base URL may have only letters, digits and "-._~", no segment that is empty, "." or "..", and at most 1024 bytes`)
	case base.Scheme == "http" && !insecure && !isLoopback(base.Hostname()):
		return nil, errors.New("the base URL would send the token unencrypted; use https://, or WithInsecureHTTP")
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	return base, nil
}

const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// isHost reports whether the host is an ASCII name, which cannot be confused with
// another, or an IP address without a zone.
func isHost(base *url.URL) bool {
	host := base.Hostname()
	if strings.HasPrefix(base.Host, "[") {
		address, err := netip.ParseAddr(host)
		return err == nil && address.Is6() && address.Zone() == ""
	}
	return strings.Trim(host, alphanumeric+"-_.") == "" && !strings.HasPrefix(host, ".") && !strings.Contains(host, "..")
}

// isPort reports whether the port is valid, or absent.
func isPort(base *url.URL) bool {
	if base.Port() == "" {
		return !strings.HasSuffix(base.Host, ":")
	}
	port, err := strconv.ParseUint(base.Port(), 10, 16)
	return err == nil && port > 0
}

// isPlain reports whether the path has no escapes, dot segments or empty segments.
func isPlain(path string) bool {
	const longest = 1 << 10
	if len(path) > longest || strings.Contains(path, "//") {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return strings.Trim(path, alphanumeric+"/-._~") == ""
}

// isLoopback reports whether host is localhost or a loopback address. Others, such
// as 127.1 and localhost., depend on the resolver.
func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback() || strings.EqualFold(host, "localhost")
}
