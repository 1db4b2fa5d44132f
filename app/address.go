package app

import "net"

// loopback is how this machine reaches an address that we listen on: a wildcard is reached over loopback.
func loopback(addr string) string {
	host, port := splitAddr(addr)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

func splitAddr(addr string) (host, port string) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr, ""
	}
	return host, port
}

// httpURL is where people of this machine reach the pages.
func (a *App) httpURL() string {
	if a.set.PublicURL != "" {
		return a.set.PublicURL
	}
	scheme := "http://"
	if a.set.TLSCert != "" {
		scheme = "https://"
	}
	return scheme + loopback(a.set.HTTP)
}
