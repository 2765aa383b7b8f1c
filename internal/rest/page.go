package rest

import (
	"bytes"
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"
)

// The headers of Jetty's page for an error.
const (
	pageType  = "text/html;charset=iso-8859-1"
	pageCache = "must-revalidate,no-cache,no-store"
)

var escapePage = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")

// page returns the HTML page of Jetty for an error.
func page(status int, reason string) string {
	reason = escapePage.Replace(reason)
	return fmt.Sprintf("<html>\n<head>\n<meta http-equiv=\"Content-Type\" content=\"text/html;charset=ISO-8859-1\"/>\n"+
		"<title>Error %d %s</title>\n</head>\n<body>\n<h2>HTTP ERROR %d %s</h2>\n</body>\n</html>\n", status, reason, status, reason)
}

// writePage answers as Jetty does: with a page for some methods, in a form that the client accepts.
func writePage(w http.ResponseWriter, r *http.Request, status int, reason string) {
	w.Header().Set("Cache-Control", pageCache)
	w.Header()["Content-Type"] = nil // else one would be guessed
	var text string
	switch r.Method {
	case http.MethodGet, http.MethodPost, http.MethodHead:
		var contentType string
		if contentType, text = pageFor(r, status, reason); contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the client has gone if this fails
}

// pageFor returns the page in the first form that the client accepts; no type if it accepts none that there is.
func pageFor(r *http.Request, status int, reason string) (contentType, text string) {
	accept, given := r.Header["Accept"]
	if !given {
		return pageType, page(status, reason)
	}
	type wish struct {
		name    string
		quality float64
	}
	var wishes []wish
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, q, hasQuality := strings.Cut(part, ";q=")
		wanted := wish{strings.TrimSpace(name), 1}
		if hasQuality {
			var err error
			if wanted.quality, err = strconv.ParseFloat(strings.TrimSpace(q), 64); err != nil {
				continue
			}
		}
		wishes = append(wishes, wanted)
	}
	sort.SliceStable(wishes, func(i, j int) bool { return wishes[i].quality > wishes[j].quality })
	for _, wanted := range wishes {
		if wanted.quality <= 0 {
			break
		}
		switch wanted.name {
		case "text/html", "text/*", "*/*":
			return pageType, page(status, reason)
		case "text/json", jsonType:
			return jsonType, fmt.Sprintf("{\n\"message\":%s,\n\"url\":%s,\n\"status\":\"%d\"\n}",
				appendString(nil, reason), appendString(nil, baseURL(r)+r.URL.EscapedPath()), status)
		case "text/plain":
			return "text/plain;charset=iso-8859-1", fmt.Sprintf("HTTP ERROR %d %s\nURI: %s\nSTATUS: %d\nMESSAGE: %s\n",
				status, reason, baseURL(r)+r.URL.EscapedPath(), status, reason)
		}
	}
	return "", ""
}

// BadRequest returns Jetty's whole answer to a request that Go's HTTP server can't parse. Head is how the request begins.
func BadRequest(head []byte) []byte {
	text := page(http.StatusBadRequest, unparsed(head))
	return fmt.Appendf(nil, "HTTP/1.1 400 Bad Request\r\nCache-Control: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		pageCache, pageType, len(text), text)
}

// unparsed returns what is wrong with the first line of a request.
func unparsed(head []byte) string {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	spaces := 0
	for i, c := range line {
		switch {
		case c < ' ' || c == 0x7f:
			return fmt.Sprintf("Illegal character CNTL=0x%x", c)
		case c == ' ':
			spaces++
			if version := line[i+1:]; spaces == 2 && !bytes.HasPrefix(version, []byte("HTTP/")) {
				return "Illegal character SPACE=' '"
			}
		}
	}
	parts := strings.SplitN(string(line), " ", 3)
	if len(parts) < 3 {
		return "Bad Request"
	}
	uri, _, _ := strings.Cut(parts[1], "#")
	path, query, _ := strings.Cut(uri, "?")
	if why := refusal(path, query); why.reason != "" {
		return why.reason
	}
	return "Bad Request"
}
