package cmd

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"backtester/backtest/history"
	"backtester/server/account"
)

// What serve and the commands beside it, which work on its database, have in common.

// secretKey is the key that signs tokens: the one of the settings, or in development one that is made
// once and kept beside the database.
func (a *app) secretKey() ([]byte, error) {
	if key := a.settings.get("secret_key"); key != "" {
		return []byte(key), nil
	}
	path := filepath.Join(a.dbDir(), "secret-key")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = a.makeSecretKey(path); err == nil {
			b, err = os.ReadFile(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the secret key: %w", err)
	}
	if key := strings.TrimSpace(string(b)); len(key) >= secretBytes {
		return []byte(key), nil
	}
	return nil, fmt.Errorf("read the secret key: %s is damaged: remove it, and every session ends", path)
}

// makeSecretKey writes a key for this user's eyes. Of several processes at once the first one's stays.
func (a *app) makeSecretKey(path string) error {
	if err := os.MkdirAll(a.dbDir(), 0o750); err != nil {
		return err
	}
	key := make([]byte, secretBytes)
	_, _ = rand.Read(key) // never fails
	f, err := os.CreateTemp(a.dbDir(), ".secret-key-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Link(f.Name(), path) // unlike a rename it does not replace
	}
	os.Remove(f.Name()) // the error before is the one to tell
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func (a *app) openAccounts(db *history.DB) (*account.Service, error) {
	key, err := a.secretKey()
	if err != nil {
		return nil, err
	}
	return account.New(account.Options{DB: db, Secret: key, Now: a.io.Now, Policy: account.Policy(a.settings.get("registration"))}), nil
}

// setupFile holds the token of the first administrator.
const setupFile = "setup-token"

// offerSetup writes the token with which the first administrator registers to a file that only this
// user can read, and removes it when there are users.
func (a *app) offerSetup(ctx context.Context, accounts *account.Service) (path string, err error) {
	dir := a.io.env("RUNTIME_DIRECTORY")
	if dir == "" {
		dir = a.dbDir()
	}
	path = filepath.Join(dir, setupFile)
	token, err := accounts.SetupToken(ctx)
	if err != nil {
		return "", err
	}
	if token == "" {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		return "", nil
	}
	err = writeFile(path, func(w io.Writer) error { _, err := w.Write([]byte(token + "\n")); return err })
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	return path, err
}

func (s *settings) number(key string) int {
	n, _ := strconv.Atoi(s.get(key)) // checked when it was read
	return n
}

// days is a setting in days as a length of time.
func (s *settings) days(key string) time.Duration {
	return time.Duration(s.number(key)) * 24 * time.Hour
}
