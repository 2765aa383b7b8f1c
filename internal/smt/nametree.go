package smt

// maxNames is the size of the names that a nameTree remembers, in bytes, with what each costs besides.
const (
	maxNames = 1 << 20
	nameCost = 128
)

// nameTree makes the names of what is nested in maps, and remembers them: records tend to repeat them.
type nameTree struct {
	text      string
	key       any // the text, or nil for the key null at the top
	children  map[string]*nameTree
	delimiter string
	size      *int // of the whole tree
}

func newNameTree(delimiter string) *nameTree {
	return &nameTree{key: "", delimiter: delimiter, size: new(int)}
}

// below returns the name of an entry of the map with n's name. Its key may be null, as in Java.
func (n *nameTree) below(key any) (*nameTree, error) {
	text := "null"
	if key != nil {
		var err error
		if text, err = stringKey(key, flattening); err != nil {
			return nil, err
		}
		if child, ok := n.children[text]; ok {
			return child, nil
		}
	}
	child := &nameTree{text: text, key: key, delimiter: n.delimiter, size: n.size}
	if n.text != "" {
		child.text = n.text + n.delimiter + text
		child.key = child.text
	}
	if size := *n.size + len(text) + len(child.text) + nameCost; size < maxNames && key != nil {
		if n.children == nil {
			n.children = make(map[string]*nameTree)
		}
		n.children[text] = child
		*n.size = size
	}
	return child, nil
}
