//go:build !unix

package cmd

import (
	"context"
	"net"
)

const storedName = "http"

// manager does nothing where there is no service manager that keeps listeners.
type manager struct{}

func (a *app) manager() *manager                                    { return &manager{} }
func (*manager) tell(string)                                        {}
func (*manager) inherited() (net.Listener, error)                   { return nil, nil }
func (*manager) keep(net.Listener) error                            { return nil }
func (*manager) watch(context.Context, func(context.Context) error) {}

func lengthen(net.Listener) error { return nil } // the system chooses
