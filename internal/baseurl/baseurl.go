// Package baseurl checks the URL that all requests begin with.
package baseurl

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// Parse returns rawURL, without a slash at its end, if it is a scheme, a host,
// perhaps a port and a plain path, and if https or bound for loopback or
// insecure. Its errors don't quote it: a mistyped one may hold a password.
func Parse(rawURL string, insecure bool) (*url.URL, error) {
	base, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("the base URL is not a URL")
	}
	switch {
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, errors.New("the base URL does not begin with https:// or http://")
	case base.Opaque != "" || base.Hostname() == "":
		return nil, errors.New("the base URL has no host")
	case base.User != nil:
		return nil, errors.New("the base URL has user info")
	case strings.ContainsAny(rawURL, "?#"):
		return nil, errors.New("the base URL has a query or a fragment")
	case !isPlain(base.EscapedPath()):
		return nil, errors.New("the path of the base URL has an escape, a dot segment or an empty one, or is too long")
	case base.Scheme == "http" && !insecure && !isLoopback(base.Hostname()):
		return nil, errors.New("the base URL would send the token over http:// in the clear; use https://, or WithInsecureHTTP")
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	return base, nil
}

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
	return strings.Trim(path, "/-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback() || strings.EqualFold(host, "localhost")
}
