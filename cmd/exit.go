package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/stats"
	"backtester/backtest/strategy"
)

// Exit codes: the contract with scripts. See codeOf for which error becomes which.
const (
	exitOK           = 0
	exitFailure      = 1
	exitUsage        = 2
	exitNoData       = 3
	exitUnauthorized = 4
	exitCondition    = 5
	exitUnsafe       = 78
	exitInterrupted  = 130
)

// exitCodes say what each means, for help and documentation.
func exitCodes() string {
	var b strings.Builder
	for _, c := range []struct {
		code int
		what string
	}{
		{exitOK, "success"},
		{exitFailure, "failure: anything not named below; a proof that does not hold"},
		{exitUsage, "wrong flags or arguments, an invalid strategy or setting, or a file named in the\n       call that cannot be read or understood"},
		{exitNoData, "no data: the store, or a file named in the call, is in order and has nothing to run on"},
		{exitUnauthorized, "the vendor refused the credentials, or the plan does not include the data"},
		{exitCondition, "a --fail-if condition holds, or cannot be decided"},
		{exitUnsafe, "serve refused to start: unsafe or invalid settings"},
		{exitInterrupted, "interrupted"},
	} {
		fmt.Fprintf(&b, "  %3d  %s\n", c.code, c.what)
	}
	return b.String()
}

// usageError is a mistake in how a command was called.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// unsafeError is a refusal to serve.
type unsafeError struct{ err error }

func (e *unsafeError) Error() string { return e.err.Error() }
func (e *unsafeError) Unwrap() error { return e.err }

func unsafef(format string, args ...any) error {
	return &unsafeError{fmt.Errorf(format, args...)}
}

// inputError is a fault of a file that the call names: bars, results, curves, trades, whatever the flag. One that
// cannot be read or understood is a mistake of the call; one that is in order and holds nothing is no data.
type inputError struct{ err error }

func (e *inputError) Error() string { return e.err.Error() }
func (e *inputError) Unwrap() error { return e.err }

// input marks the fault of a file that the call names.
func input(err error) error {
	if err == nil {
		return nil
	}
	return &inputError{err}
}

// codeError carries an exit code whose reason has been shown already; it prints nothing.
type codeError struct{ code int }

func (e *codeError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// exitCode translates an error; of several joined ones the worst counts.
func exitCode(err error) int {
	code := exitOK
	for _, e := range flatten(err) {
		code = worst(code, codeOf(e))
	}
	return code
}

// codeOf translates one error. The first line that matches decides.
func codeOf(err error) int {
	var (
		coded  *codeError
		usage  *usageError
		unsafe *unsafeError
		faults strategy.Diagnostics
		input  *inputError
		asked  *backtest.InputError
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &coded):
		return coded.code
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &unsafe):
		return exitUnsafe
	case errors.As(err, &usage), errors.As(err, &faults), errors.As(err, &asked):
		return exitUsage
	case isUnauthorized(err):
		return exitUnauthorized
	case errors.Is(err, bar.ErrNoData), errors.Is(err, stats.ErrNoRows):
		return exitNoData
	case errors.As(err, &input):
		return exitUsage
	}
	return exitFailure
}

// worst of several exit codes: an interruption says more than a failure, a failure more than a
// mistake in the call, and a condition that held says least.
func worst(codes ...int) int {
	rank := []int{exitOK, exitCondition, exitNoData, exitUnauthorized, exitUsage, exitFailure, exitUnsafe, exitInterrupted}
	at := func(code int) int {
		for i, c := range rank {
			if c == code {
				return i
			}
		}
		return 0
	}
	w := exitOK
	for _, c := range codes {
		if at(c) > at(w) {
			w = c
		}
	}
	return w
}
