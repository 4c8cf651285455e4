package cmd

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"
)

// secretBytes is the length of a key: as many bits as the strongest use of it asks for.
const secretBytes = 32

func newSecret(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "secret",
		Short: "Make a fresh key for FLASK_SECRET_KEY",
		Long: `Make a fresh key for FLASK_SECRET_KEY: 32 random bytes in hexadecimal, different at every call.

It signs sessions and tokens of the server. Whoever knows it can sign in as anybody; another value
ends every session and every token.`,
		Example: "  backtester secret\n  echo FLASK_SECRET_KEY=$(backtester secret) >> .env",
		Args:    arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			key := make([]byte, secretBytes)
			rand.Read(key) // never fails: the process ends where there is no randomness
			_, err := fmt.Fprintln(a.io.Out, hex.EncodeToString(key))
			return err
		},
	}
}
