package group

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func joinRequest(cfg *Config, id, reason string, offers []Offer) *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.MemberID, req.ProtocolType = cfg.Group, id, ProtocolType
	req.SessionTimeoutMillis = int32(cfg.SessionTimeout.Milliseconds())
	req.RebalanceTimeoutMillis = int32(cfg.RebalanceTimeout.Milliseconds())
	req.Reason = shortReason(reason)
	for _, o := range offers {
		p := kmsg.NewJoinGroupRequestProtocol()
		p.Name, p.Metadata = o.Name, o.Metadata
		req.Protocols = append(req.Protocols, p)
	}
	return req
}

func syncRequest(group string, joined *kmsg.JoinGroupResponse, protocol string, assignments map[string][]byte) *kmsg.SyncGroupRequest {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.Generation = group, joined.MemberID, joined.Generation
	req.ProtocolType, req.Protocol = kmsg.StringPtr(ProtocolType), kmsg.StringPtr(protocol)
	for id, b := range assignments {
		a := kmsg.NewSyncGroupRequestGroupAssignment()
		a.MemberID, a.MemberAssignment = id, b
		req.GroupAssignment = append(req.GroupAssignment, a)
	}
	return req
}

func heartbeatRequest(group, id string, generation int32) *kmsg.HeartbeatRequest {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.Generation = group, id, generation
	return req
}

func leaveRequest(group, id, reason string) *kmsg.LeaveGroupRequest {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.MemberID = group, id
	m := kmsg.NewLeaveGroupRequestMember()
	m.MemberID, m.Reason = id, shortReason(reason)
	req.Members = append(req.Members, m)
	return req
}

// leaveError returns why a member could not leave.
func leaveError(resp *kmsg.LeaveGroupResponse) error {
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return err
	}
	for _, m := range resp.Members {
		if err := kerr.ErrorForCode(m.ErrorCode); err != nil {
			return err
		}
	}
	return nil
}

// shortReason cuts a reason to what brokers take.
func shortReason(reason string) *string {
	const most = 255
	if len(reason) > most {
		reason = strings.ToValidUTF8(reason[:most], "")
	}
	return &reason
}

// impossible are answers after which trying again is of no use.
var impossible = []*kerr.Error{
	kerr.InconsistentGroupProtocol, kerr.InvalidSessionTimeout, kerr.InvalidGroupID, kerr.GroupAuthorizationFailed,
	kerr.GroupMaxSizeReached, kerr.FencedInstanceID, kerr.UnsupportedVersion, kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism,
}

func isImpossible(err error) bool {
	for _, e := range impossible {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// isAnswer reports whether an error is the coordinator's own, rather than that there is none.
func isAnswer(err error) bool {
	_, ok := errors.AsType[*kerr.Error](err)
	return ok && !errors.Is(err, kerr.CoordinatorNotAvailable) && !errors.Is(err, kerr.NotCoordinator) && !errors.Is(err, kerr.CoordinatorLoadInProgress)
}

// isSilence reports whether an error says that no answer came, or that the coordinator is there and not ready. It may
// still be alive, which takes longer to find out than that nothing is there.
func isSilence(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, kerr.CoordinatorLoadInProgress)
}

// explain adds to the coordinator's refusal what may help.
func explain(ctx context.Context, cl *kgo.Client, cfg *Config, err error) error {
	switch {
	case errors.Is(err, kerr.InconsistentGroupProtocol):
		return fmt.Errorf("group %s can't be joined: %s: %w", cfg.Group, describe(ctx, cl, cfg), err)
	case errors.Is(err, kerr.InvalidSessionTimeout):
		return fmt.Errorf("group %s can't be joined: session.timeout.ms (%d) is not between the brokers' group.min.session.timeout.ms and group.max.session.timeout.ms: %w",
			cfg.Group, cfg.SessionTimeout.Milliseconds(), err)
	}
	return fmt.Errorf("group %s can't be joined: %w", cfg.Group, err)
}

// describe says what kind of group has the name already.
func describe(ctx context.Context, cl *kgo.Client, cfg *Config) string {
	const unknown = "it is in use by something else than Connect, or by workers with another connect.protocol"
	ctx, cancel := context.WithTimeout(ctx, cfg.HeartbeatInterval)
	defer cancel()
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{cfg.Group}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil || len(resp.Groups) != 1 || resp.Groups[0].ErrorCode != 0 || resp.Groups[0].ProtocolType == "" {
		return unknown
	}
	g := resp.Groups[0]
	if g.ProtocolType == ProtocolType {
		return fmt.Sprintf("its %d members take part by protocol %q, which this worker's connect.protocol does not offer", len(g.Members), g.Protocol)
	}
	return fmt.Sprintf("it is in use by a group of type %q with %d members; choose another group.id", g.ProtocolType, len(g.Members))
}
