package cmd

import (
	"errors"

	"backtester/polygon"
	"backtester/polygon/reference"
)

// isUnauthorized reports whether the vendor refused: keys, or a plan without the data.
func isUnauthorized(err error) bool {
	return errors.Is(err, polygon.ErrForbidden) || errors.Is(err, polygon.ErrUnauthorized) ||
		errors.Is(err, reference.ErrKey) || errors.Is(err, reference.ErrForbidden)
}
