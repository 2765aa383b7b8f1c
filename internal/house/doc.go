// Package house holds the rules of this repository that a program can check: who imports whom, what an embedding program
// links, how long files are, that what is exported is documented. Its tests are the rules; each says why it is there.
package house
