package mirror

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// describeACLs returns the rules of a cluster that name a topic literally. ok is false if the cluster has no rules at
// all, for want of an authorizer.
func describeACLs(ctx context.Context, cl *kgo.Client) (rules []TopicACL, ok bool, err error) {
	req := kmsg.NewPtrDescribeACLsRequest()
	req.ResourceType, req.ResourcePatternType = kmsg.ACLResourceTypeTopic, kmsg.ACLResourcePatternTypeAny
	req.Operation, req.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return nil, false, err
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); errors.Is(err, kerr.SecurityDisabled) {
		return nil, false, nil
	} else if err != nil {
		return nil, false, withMessage(err, resp.ErrorMessage)
	}
	for _, r := range resp.Resources {
		if r.ResourceType != kmsg.ACLResourceTypeTopic || r.ResourcePatternType != kmsg.ACLResourcePatternTypeLiteral {
			continue
		}
		for _, a := range r.ACLs {
			rules = append(rules, TopicACL{r.ResourceName, a.Principal, a.Host, a.Operation, a.PermissionType})
		}
	}
	return rules, true, nil
}

// createACLs adds rules, and returns the errors of those that could not be, by their topic.
func createACLs(ctx context.Context, cl kmsg.Requestor, rules []TopicACL) (map[string]error, error) {
	if len(rules) == 0 {
		return nil, nil
	}
	req := kmsg.NewPtrCreateACLsRequest()
	for _, r := range rules {
		c := kmsg.NewCreateACLsRequestCreation()
		c.ResourceType, c.ResourcePatternType, c.ResourceName = kmsg.ACLResourceTypeTopic, kmsg.ACLResourcePatternTypeLiteral, r.Topic
		c.Principal, c.Host, c.Operation, c.PermissionType = r.Principal, r.Host, r.Operation, r.Permission
		req.Creations = append(req.Creations, c)
	}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return nil, err
	}
	errs := make(map[string]error)
	for i, r := range resp.Results {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil && i < len(rules) {
			errs[rules[i].Topic] = withMessage(err, r.ErrorMessage)
		}
	}
	return errs, nil
}
