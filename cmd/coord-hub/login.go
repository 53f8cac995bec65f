package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/coordhq/coord/pkg/setup"
)

// login registers with a team hub.
func (a *app) login() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "login URL",
		Short: "Register with a team's hub (this version cannot be one)",
		Long: "Registers with the hub of a team, keeps the token in a file of yours, and trusts the hub: a\n" +
			"token is only ever sent to a hub that you have logged in to. The team's registration secret\n" +
			"comes from COORDINATOR_REGISTRATION_SECRET, or is asked for, or is the first line of stdin.\n\n" +
			"It needs a team hub. coord-hub of this version cannot be one: it serves a single user, whose\n" +
			"sessions need no login.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			l := setup.Login{Home: home, Getenv: a.getenv, Hub: args[0], Name: name}
			if l.Name == "" {
				l.Name = osUser()
			}
			if l.Secret, err = a.secret(); err != nil {
				return err
			}
			out, err := setup.Register(cmd.Context(), l)
			if err != nil {
				return err
			}
			return a.print(out, fmt.Sprintf("logged in to %s as %s (%s), token in %s\n"+
				"coord-hub init DIR --url %s connects a project with it.", out.Hub, out.AgentID, out.Role, out.TokenFile, out.Hub))
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "how the team calls you; your user name by default")
	return cmd
}

func osUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// secret finds the registration secret. It is no flag: a command line is seen
// by every user of the machine.
func (a *app) secret() (string, error) {
	if s := a.getenv("COORDINATOR_REGISTRATION_SECRET"); s != "" {
		return s, nil
	}
	if fd := int(os.Stdin.Fd()); term.IsTerminal(fd) { // #nosec G115 -- a descriptor
		fmt.Fprint(a.err, "Registration secret: ")
		raw, err := term.ReadPassword(fd)
		fmt.Fprintln(a.err)
		return string(raw), err
	}
	line, err := bufio.NewReader(io.LimitReader(os.Stdin, 4096)).ReadString('\n')
	if err == io.EOF {
		err = nil
	}
	return strings.TrimRight(line, "\r\n"), err
}
