package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(what string, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, what+":", err)
		os.Exit(1)
	}
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	fail(path, err)
	return data
}

func hash(text string) (h tlog.Hash) {
	data, err := base64.StdEncoding.DecodeString(text)
	fail("hash", err)
	copy(h[:], data)
	return h
}

func open(vkey string, data []byte) tlog.Tree {
	verifier, err := note.NewVerifier(strings.TrimSpace(vkey))
	fail("key", err)
	opened, err := note.Open(data, note.VerifierList(verifier))
	fail("note", err)
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		fail("origin", fmt.Errorf("%s is not %s", lines[0], verifier.Name()))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	fail("size", err)
	return tlog.Tree{N: size, Hash: hash(lines[2])}
}

// inclusion VKEY LEAF PROOF · consistency VKEY OLD NEW PROOF
func main() {
	vkey := string(read(os.Args[2]))
	if os.Args[1] == "inclusion" {
		head, checkpoint, _ := bytes.Cut(read(os.Args[4]), []byte("\n\n"))
		tree := open(vkey, checkpoint)
		lines := strings.Split(string(head), "\n")
		index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
		fail("index", err)
		var proof tlog.RecordProof
		for _, line := range lines[2:] {
			proof = append(proof, hash(line))
		}
		fail("inclusion", tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(read(os.Args[3]))))
	} else {
		old, tree := open(vkey, read(os.Args[3])), open(vkey, read(os.Args[4]))
		var proof tlog.TreeProof
		for _, line := range strings.Fields(string(read(os.Args[5]))) {
			proof = append(proof, hash(line))
		}
		fail("consistency", tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash))
	}
	fmt.Println("holds")
}
