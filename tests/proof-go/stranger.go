// stranger - checks an Outpost journal and its proofs with an implementation that is not ours.
//
// Suite sha256+ed25519 only: that is what Go's checksum database knows. See README.md.
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

// A checkpoint as tlog-checkpoint says: origin, size, root, each on its line.
type checkpoint struct {
	origin string
	tree   tlog.Tree
}

func openCheckpoint(signed []byte, key string) (checkpoint, error) {
	verifier, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return checkpoint{}, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return checkpoint{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || !strings.HasPrefix(lines[0], verifier.Name()+"/") {
		return checkpoint{}, fmt.Errorf("no checkpoint of %s: %q", verifier.Name(), opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return checkpoint{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return checkpoint{lines[0], tlog.Tree{N: size, Hash: root}}, err
}

// folder reads tiles from disk, where tlog-tiles says they are: Go's path less its tile height.
type folder struct {
	path  string
	tiles map[string]bool
}

func (f *folder) Height() int { return tileHeight }

func (f *folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		name := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		bytes, err := os.ReadFile(filepath.Join(f.path, name))
		if err != nil {
			return nil, err
		}
		f.tiles[name] = true
		found = append(found, bytes)
	}
	return found, nil
}

func (f *folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f *folder) checkpoint(path string) (checkpoint, error) {
	key, err := os.ReadFile(filepath.Join(f.path, "key.pub"))
	if err != nil {
		return checkpoint{}, err
	}
	signed, err := os.ReadFile(path)
	if err != nil {
		return checkpoint{}, err
	}
	return openCheckpoint(signed, string(key))
}

// Every leaf hash through the tiles, each authenticated against the signed root, and its proof.
func (f *folder) checkLeaves(reader tlog.HashReader, tree tlog.Tree) error {
	for n := int64(0); n < tree.N; n++ {
		hashes, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
		if err != nil {
			return fmt.Errorf("leaf %d: %w", n, err)
		}
		if n%97 != 0 && n != tree.N-1 {
			continue
		}
		proof, err := tlog.ProveRecord(tree.N, n, reader)
		if err != nil {
			return fmt.Errorf("leaf %d: %w", n, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, hashes[0]); err != nil {
			return fmt.Errorf("leaf %d: %w", n, err)
		}
	}
	return nil
}

func checkGrowth(reader tlog.HashReader, old, tree tlog.Tree) error {
	proof, err := tlog.ProveTree(tree.N, old.N, reader)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

func checkLog(path string, older []string) error {
	f := &folder{path, map[string]bool{}}
	now, err := f.checkpoint(filepath.Join(path, "checkpoint"))
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(now.tree, f)
	root, err := tlog.TreeHash(now.tree.N, reader)
	if err != nil || root != now.tree.Hash {
		return fmt.Errorf("root %v, expected %v: %v", root, now.tree.Hash, err)
	}
	if err := f.checkLeaves(reader, now.tree); err != nil {
		return err
	}
	for _, name := range older {
		old, err := f.checkpoint(name)
		if err != nil {
			return err
		}
		if old.origin != now.origin {
			return fmt.Errorf("%s is of %s, not of %s", name, old.origin, now.origin)
		}
		if err := checkGrowth(reader, old.tree, now.tree); err != nil {
			return err
		}
		fmt.Printf("ok growth %d -> %d\n", old.tree.N, now.tree.N)
	}
	fmt.Printf("ok log %s size %d tiles %d\n", now.origin, now.tree.N, len(f.tiles))
	return nil
}

type statement struct {
	Format, Suite, Event, Checkpoint string
	Index, Size                      int64
	Path                             []string
}

func checkProof(path, keyPath string) error {
	var s statement
	bytes, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(bytes, &s)
	}
	if err != nil {
		return err
	}
	key, err := os.ReadFile(keyPath)
	if err != nil {
		return err
	}
	signed, err := openCheckpoint([]byte(s.Checkpoint), string(key))
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, text := range s.Path {
		hash, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(hash) != tlog.HashSize {
			return fmt.Errorf("path: %q is no hash", text)
		}
		proof = append(proof, *(*tlog.Hash)(hash))
	}
	err = tlog.CheckRecord(proof, signed.tree.N, signed.tree.Hash, s.Index,
		tlog.RecordHash([]byte(s.Event)))
	if err == nil {
		fmt.Printf("ok event %d of %d, %d hashes\n", s.Index, signed.tree.N, len(proof))
	}
	return err
}

// A C2SP tlog-proof: a line of format, "index N", the hashes, an empty line, the checkpoint.
func readTlogProof(text string) (int64, tlog.RecordProof, string, error) {
	head, signed, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return 0, nil, "", fmt.Errorf("not a tlog-proof: %q", lines[0])
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return 0, nil, "", err
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return 0, nil, "", err
		}
		proof = append(proof, hash)
	}
	return index, proof, signed, nil
}

func checkTlogProof(event, proofPath, key string) error {
	body, err := os.ReadFile(event)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(proofPath)
	if err != nil {
		return err
	}
	index, proof, note, err := readTlogProof(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", proofPath, err)
	}
	signed, err := openCheckpoint([]byte(note), key)
	if err != nil {
		return fmt.Errorf("%s: %w", proofPath, err)
	}
	err = tlog.CheckRecord(proof, signed.tree.N, signed.tree.Hash, index, tlog.RecordHash(body))
	if err != nil {
		return fmt.Errorf("%s: %w", event, err)
	}
	fmt.Printf("ok event %d of %d, %d hashes\n", index, signed.tree.N, len(proof))
	return nil
}

// An export of evidence: each event by its proof, then the file by what the events and the list say.
func checkExport(path string) error {
	key, err := os.ReadFile(filepath.Join(path, "key.pub"))
	if err != nil {
		return err
	}
	events, err := filepath.Glob(filepath.Join(path, "events", "*.json"))
	if err != nil {
		return err
	}
	events = append(events, filepath.Join(path, "exported.json"))
	for _, event := range events {
		proof := strings.TrimSuffix(event, ".json") + ".proof"
		if err := checkTlogProof(event, proof, string(key)); err != nil {
			return err
		}
	}
	return checkManifest(path)
}

func sum(path string) (string, error) {
	bytes, err := os.ReadFile(path)
	digest := sha256.Sum256(bytes)
	return hex.EncodeToString(digest[:]), err
}

func checkManifest(path string) error {
	var exported struct {
		Data struct{ Sha256, Manifest string }
	}
	bytes, err := os.ReadFile(filepath.Join(path, "exported.json"))
	if err == nil {
		err = json.Unmarshal(bytes, &exported)
	}
	if err != nil {
		return err
	}
	list := filepath.Join(path, "SHA256SUMS")
	if digest, err := sum(list); err != nil || digest != exported.Data.Manifest {
		return fmt.Errorf("%s: %s, but the event says %s: %v", list, digest, exported.Data.Manifest, err)
	}
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		wanted, name, _ := strings.Cut(line, "  ")
		digest, err := sum(filepath.Join(path, name))
		if err != nil || digest != wanted {
			return fmt.Errorf("%s: %s, but the list says %s: %v", name, digest, wanted, err)
		}
		if strings.HasPrefix(name, "file/") && digest != exported.Data.Sha256 {
			return fmt.Errorf("%s: %s, but the event says %s", name, digest, exported.Data.Sha256)
		}
		fmt.Printf("ok file %s\n", name)
	}
	return nil
}

func main() {
	err := fmt.Errorf("usage: stranger log JOURNAL [OLDER-CHECKPOINT...] | stranger proof PROOF.json KEY.pub | " +
		"stranger export FOLDER")
	switch {
	case len(os.Args) >= 3 && os.Args[1] == "log":
		err = checkLog(os.Args[2], os.Args[3:])
	case len(os.Args) == 4 && os.Args[1] == "proof":
		err = checkProof(os.Args[2], os.Args[3])
	case len(os.Args) == 3 && os.Args[1] == "export":
		err = checkExport(os.Args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "stranger:", err)
		os.Exit(1)
	}
}
