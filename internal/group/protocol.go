package group

import (
	"errors"
	"fmt"
	"strconv"
	"unicode"
)

// Protocol is a version of Connect's protocol: how members tell the leader what they hold, and it them what to do.
type Protocol int16

const (
	Eager      Protocol = 0 // members give up everything before each round
	Compatible Protocol = 1 // incremental and cooperative
	Sessioned  Protocol = 2 // the same, and requests between members are signed
)

// ProtocolType is the type of Connect's groups.
const ProtocolType = "connect"

var protocolNames = [...]string{Eager: "default", Compatible: "compatible", Sessioned: "sessioned"}

// Name returns the protocol's name in the group. One that is not known has its version for a name.
func (p Protocol) Name() string {
	if p < Eager || p > Sessioned {
		return "v" + strconv.Itoa(int(p))
	}
	return protocolNames[p]
}

// String returns the value of connect.protocol.
func (p Protocol) String() string {
	if p == Eager {
		return "eager"
	}
	return p.Name()
}

// Cooperative reports whether members keep what they hold from round to round.
func (p Protocol) Cooperative() bool { return p != Eager }

// Signed reports whether requests between members are signed.
func (p Protocol) Signed() bool { return p >= Sessioned }

// Offered returns the protocols that a member with this connect.protocol joins with, the preferred first.
func (p Protocol) Offered() []Protocol {
	var offered []Protocol
	for ; p >= Eager; p-- {
		offered = append(offered, p)
	}
	return offered
}

// ParseProtocol returns the protocol of a value of connect.protocol.
func ParseProtocol(text string) (Protocol, error) {
	for p := Eager; p <= Sessioned; p++ {
		if sameIgnoringCase(text, p.String()) {
			return p, nil
		}
	}
	return 0, errors.New("Unknown Connect protocol compatibility mode: " + text)
}

// ProtocolNamed returns the protocol of a name in the group.
func ProtocolNamed(name string) (Protocol, error) {
	for p := Eager; p <= Sessioned; p++ {
		if sameIgnoringCase(name, p.Name()) {
			return p, nil
		}
	}
	return 0, errors.New("Not found Connect protocol compatibility mode for protocol: " + name)
}

// ProtocolOf returns the protocol of a version number.
func ProtocolOf(version int16) (Protocol, error) {
	if version < int16(Eager) || version > int16(Sessioned) {
		return 0, fmt.Errorf("Unknown Connect protocol version: %d", version)
	}
	return Protocol(version), nil
}

// sameIgnoringCase is Java's String.equalsIgnoreCase, which goes by the upper and then the lower case of each character.
func sameIgnoringCase(a, b string) bool {
	fold := func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }
	x, y := []rune(a), []rune(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if fold(x[i]) != fold(y[i]) {
			return false
		}
	}
	return true
}
