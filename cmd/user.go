package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"backtester/server/account"
)

func newUser(a *app) *cobra.Command {
	return group("user", "Manage the accounts of serve: add, ls, passwd, disable, enable",
		newUserAdd(a), newUserLs(a), newUserPasswd(a), newUserDisable(a, "disable", "Keep a user out, with all sessions and tokens", true),
		newUserDisable(a, "enable", "Let a user in again", false))
}

// withAccounts opens the accounts for one command.
func (a *app) withAccounts(ctx context.Context, f func(*account.Service) error) error {
	if a.settings.get("env") == "production" && a.settings.get("secret_key") == "" {
		return usagef("FLASK_SECRET_KEY is not set: use the settings of the server, --env-file /var/www/backtester/.env")
	}
	db, err := a.openHistory(ctx)
	if err != nil {
		return err
	}
	accounts, err := a.openAccounts(db)
	if err == nil {
		err = f(accounts)
	}
	return errors.Join(explainAccount(err), db.Close())
}

// explainAccount turns what a person can mend into a mistake in the call.
func explainAccount(err error) error {
	var weak *account.WeakError
	if errors.As(err, &weak) || errors.Is(err, account.ErrTaken) || errors.Is(err, account.ErrUnknown) {
		return &usageError{err}
	}
	return err
}

func newUserAdd(a *app) *cobra.Command {
	admin := false
	c := &cobra.Command{
		Use:   "add NAME",
		Short: "Add a user",
		Long: `Add a user. The password is asked for on a terminal, or read from the first line of standard
input: it is never an argument, which others on the machine could see.`,
		Example: "  backtester user add --admin alice\n  echo \"$PASSWORD\" | backtester user add bob",
		Args:    arguments(1, 1, "a name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withAccounts(cmd.Context(), func(s *account.Service) error {
				password, err := a.newPassword(args[0])
				if err != nil {
					return err
				}
				u, err := s.Add(cmd.Context(), args[0], password, admin)
				if err != nil {
					return fmt.Errorf("add user %s: %w", args[0], err)
				}
				_ = os.Remove(filepath.Join(a.dbDir(), setupFile)) // void since there is a user
				fmt.Fprintf(a.io.Err, "added %s\n", u.Name)
				return nil
			})
		},
	}
	c.Flags().BoolVar(&admin, "admin", false, "make an administrator, who may invite others")
	return c
}

// userInfo is a user as JSON.
type userInfo struct {
	Name     string    `json:"name"`
	Admin    bool      `json:"admin"`
	Disabled bool      `json:"disabled"`
	Created  time.Time `json:"created"`
}

func newUserLs(a *app) *cobra.Command {
	format := ""
	c := &cobra.Command{
		Use: "ls", Short: "List the users", Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFormat(format, "table", "json"); err != nil {
				return err
			}
			return a.withAccounts(cmd.Context(), func(s *account.Service) error {
				users, err := s.Users(cmd.Context())
				if err != nil {
					return err
				}
				infos, rows := []userInfo{}, [][]string{}
				for _, u := range users {
					infos = append(infos, userInfo{u.Name, u.Admin, u.Disabled, u.Created})
					state := "active"
					if u.Disabled {
						state = "disabled"
					}
					role := "user"
					if u.Admin {
						role = "administrator"
					}
					rows = append(rows, []string{u.Name, role, state, u.Created.Format(time.DateOnly)})
				}
				if format == "json" {
					return writeJSON(a.io.Out, infos)
				}
				return a.table(a.io.Out, []string{"name", "role", "state", "since"}, rows)
			})
		},
	}
	formatFlag(c.Flags(), &format, "table", "json")
	return c
}

func newUserPasswd(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "passwd NAME", Short: "Set a user's password; all sessions end", Args: arguments(1, 1, "a name"),
		Example: "  backtester user passwd alice",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withAccounts(cmd.Context(), func(s *account.Service) error {
				password, err := a.newPassword(args[0])
				if err != nil {
					return err
				}
				if err := s.SetPassword(cmd.Context(), args[0], password); err != nil {
					return fmt.Errorf("set the password of %s: %w", args[0], err)
				}
				fmt.Fprintf(a.io.Err, "changed the password of %s\n", args[0])
				return nil
			})
		},
	}
}

func newUserDisable(a *app, verb, short string, disabled bool) *cobra.Command {
	return &cobra.Command{
		Use: verb + " NAME", Short: short, Args: arguments(1, 1, "a name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withAccounts(cmd.Context(), func(s *account.Service) error {
				if err := s.SetDisabled(cmd.Context(), args[0], disabled); err != nil {
					return fmt.Errorf("%s user %s: %w", verb, args[0], err)
				}
				fmt.Fprintf(a.io.Err, "%sd %s\n", verb, args[0])
				return nil
			})
		},
	}
}

// newPassword asks twice on a terminal, or reads one line.
func (a *app) newPassword(name string) (string, error) {
	f, isFile := a.io.In.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(a.io.In, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return "", usagef("the password is missing: give it as the first line of standard input")
		}
		return line, nil
	}
	ask := func(prompt string) (string, error) {
		fmt.Fprint(a.io.Err, prompt)
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(a.io.Err)
		return string(b), err
	}
	first, err := ask("password of " + name + ": ")
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if again, err := ask("once more: "); err != nil || again != first {
		return "", usagef("the two passwords differ")
	}
	return first, nil
}
