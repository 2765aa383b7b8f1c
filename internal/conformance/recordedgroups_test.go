package conformance_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/gokconnect/connect/internal/conformance"
	"github.com/gokconnect/connect/internal/group"
)

// TestRecordedGroups decodes what real workers sent, and encodes it again.
func TestRecordedGroups(t *testing.T) {
	conformance.Run(t, "control/live-pub-*.jsonl", func(t *testing.T, c conformance.Case) {
		var out struct {
			Events []struct {
				Type      string
				Protocols []struct {
					Name     string
					Metadata *string
					Decoded  struct {
						URL    string
						Offset int64
						Held   json.RawMessage
					}
				}
				ProtocolName string
				Assignments  []struct {
					Assignment *string
					Decoded    json.RawMessage
				}
			}
		}
		if json.Unmarshal(c.Out, &out) != nil {
			return // not a group's
		}
		for _, e := range out.Events {
			for _, offer := range e.Protocols {
				p, err := group.ProtocolNamed(offer.Name)
				if err != nil {
					t.Fatal(err)
				}
				urls := []string{offer.Decoded.URL}
				var held struct{ LeaderURL string }
				if decodeCase(t, offer.Decoded.Held, &held); held.LeaderURL != "" {
					urls = append(urls, held.LeaderURL)
				}
				b := restoreURLs(fromBase64(t, offer.Metadata), urls...)
				m, err := group.DecodeMetadata(b, p)
				if err != nil {
					t.Fatal(err)
				}
				if m.Offset != offer.Decoded.Offset {
					t.Errorf("offset %d, want %d", m.Offset, offer.Decoded.Offset)
				}
				if m.Held == nil {
					sameTree(t, nil, offer.Decoded.Held)
				} else {
					sameTree(t, vecOf(m.Held, true), offer.Decoded.Held)
				}
				if again, err := m.Encode(p); err != nil || string(again) != string(b) {
					t.Errorf("%s: encoded again %x, error %v, want %x", offer.Name, again, err, b)
				}
			}
			if e.Type != "SyncGroupRequest" {
				continue
			}
			p, err := group.ProtocolNamed(e.ProtocolName)
			if err != nil {
				t.Fatal(err)
			}
			for _, assignment := range e.Assignments {
				var decoded struct{ LeaderURL string }
				decodeCase(t, assignment.Decoded, &decoded)
				b := restoreURLs(fromBase64(t, assignment.Assignment), decoded.LeaderURL)
				a, err := group.DecodeAssignment(b)
				if err != nil {
					t.Fatal(err)
				}
				sameTree(t, vecOf(a, true), assignment.Decoded)
				if again, err := a.Encode(p); err != nil || string(again) != string(b) {
					t.Errorf("encoded again %x, error %v, want %x", again, err, b)
				}
			}
		}
	})
}

// restoreURLs puts the ports back that were taken out of the recorded bytes.
func restoreURLs(b []byte, urls ...string) []byte {
	const cut = "http://127.0.0.1/"
	var whole []byte
	for _, url := range urls {
		before, after, found := bytes.Cut(b, []byte(cut))
		whole = append(whole, before...)
		if b = after; found {
			whole = append(whole, url...)
		}
	}
	return append(whole, b...)
}
