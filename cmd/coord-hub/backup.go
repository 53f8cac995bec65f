package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/coordhq/coord/pkg/hub/daemon"
)

// backup copies the database of the home, hub at work or not.
func (a *app) backup() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Copy the database, while the hub works",
		Long: "Copies the hub's database into a new file that restore can read. The hub may be at work;\n" +
			"the copy holds all that was answered before it began. It is checked before it gets its name.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			made, err := daemon.Backup(cmd.Context(), home, out)
			if err != nil {
				return err
			}
			return a.print(made, fmt.Sprintf("%s  %s", made.File, holds(made)))
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write; it must not exist (default: a new one in backups of the home)")
	return cmd
}

// restore puts a backup in the place of the database.
func (a *app) restore() *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the database",
		Long: fmt.Sprintf("Verifies the backup, stops the hub if one runs, keeps the present database aside under\n"+
			"another name and puts the backup in its place. Sessions notice and read their state anew.\n\n"+
			"What is kept aside can be restored like any backup, and deleted like any file; of several\n"+
			"the newest %d stay. coord-hub status tells of them.", daemon.MaxAside),
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			r, err := daemon.Restore(cmd.Context(), home, args[0])
			if err != nil {
				return err
			}
			words := fmt.Sprintf("restored %s  %s", r.File, holds(r.BackupInfo))
			if r.Kept != "" {
				words += fmt.Sprintf("\nthe database that was there is %s; restore it to go back, or delete it when you do not need it any more (the newest %d of these stay)", r.Kept, daemon.MaxAside)
			}
			if r.Stopped {
				words += "\nthe hub was stopped for it; open sessions start it again, and so does coord-hub start"
			}
			return a.print(r, words)
		},
	}
}

func holds(c daemon.BackupInfo) string {
	return fmt.Sprintf("(%d agents, %d threads, %d events, %d KiB)", c.Agents, c.Threads, c.Events, (c.Bytes+1023)/1024)
}
