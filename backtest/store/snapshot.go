package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Snapshot names what the store holds: a sum over the checksums of all that its manifest lists. Stores
// with the same name hold the same bars and reference data, on whatever machine and in whatever files.
func (s *Store) Snapshot() string {
	h := sha256.New()
	m := s.man
	fmt.Fprintf(h, "%s %v\n", m.Calendar, m.Synthetic)
	for _, x := range m.Segments {
		fmt.Fprintf(h, "%d %d %08x %d %d\n", x.Dataset, x.Size, x.CRC, x.Rows, x.Sessions)
	}
	for _, f := range []*fileRef{m.Reference, m.RefIndex} {
		if f != nil {
			fmt.Fprintf(h, "%d %08x\n", f.Size, f.CRC)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
