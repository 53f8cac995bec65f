package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coordhq/coord/pkg/client"
	"github.com/coordhq/coord/pkg/config"
	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/quota"
)

// errOverQuota is in the chain of an error that says that too much is used.
var errOverQuota = errors.New("over quota")

// quota shows how much of the user's plan is used.
func (a *app) quota() *cobra.Command {
	var refresh bool
	cmd := &cobra.Command{
		Use:   "quota",
		Short: "Show how much of your plan is used",
		Long: "Shows the use of your plan as the running hub has measured it, or measures it when no\n" +
			"hub runs. It reads your client's login, so it must be switched on: COORDINATOR_QUOTA=on,\n" +
			"or \"quota\": \"on\" in the \"server\" part of config.json (which the hub that sessions start reads).\n\n" +
			"Exit codes: 0 ok, 1 nothing could be measured, 3 at or over MAX_QUOTA_PCT (95).",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := config.Load(config.Source{Program: config.Serve, Getenv: a.getenv, Flags: map[string]string{"data-dir": a.dataDir}})
			if err != nil {
				return err
			}
			r, err := a.measure(cmd.Context(), s, refresh)
			if err != nil {
				return err
			}
			if err := a.print(r, describeQuota(r)); err != nil {
				return err
			}
			top, ok := coord.HighestQuota(r.Buckets)
			switch {
			case !ok:
				return coord.Errorf(coord.Unavailable, "see coord-hub logs --component quota", "nothing could be measured: %s", r.Error)
			case top.Utilization >= s.MaxQuota:
				return fmt.Errorf("%w: %s is at %.1f %%, the limit is %g %%", errOverQuota, top.Bucket, top.Utilization, s.MaxQuota)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&refresh, "refresh", false, "measure now")
	return cmd
}

// quotaLimit bounds one measurement.
const quotaLimit = 15 * time.Second

// measure asks the running hub and, when there is none or it does not measure,
// the API itself.
func (a *app) measure(ctx context.Context, s *config.Settings, refresh bool) (r quota.Report, err error) {
	ctx, cancel := context.WithTimeout(ctx, quotaLimit)
	defer cancel()
	c := client.Dial(s.Home.Socket())
	defer c.Close()
	if raw, err := c.Quota(ctx, refresh); err == nil && json.Unmarshal(raw, &r) == nil && r.Enabled {
		return r, nil
	}
	if !s.Quota {
		return r, coord.Errorf(coord.Conflict, quotaSwitch(s.Home), "measuring the quota is off")
	}
	m, err := quota.New(quota.Options{Token: quota.Credential(a.getenv), BaseURL: s.QuotaURL})
	if err != nil {
		return r, err
	}
	defer m.Stop()
	return m.Get(ctx, true), nil
}

// quotaSwitch tells how measuring is switched on.
func quotaSwitch(home config.Home) string {
	return `set COORDINATOR_QUOTA=on, or {"server":{"quota":"on"}} in ` + home.ConfigFile() + " and restart the hub"
}

func resets(at coord.Millis) string { return "resets " + at.Time().Local().Format("Mon 2 Jan 15:04") }

func describeQuota(r quota.Report) string {
	var b strings.Builder
	for _, u := range r.Buckets {
		fmt.Fprintf(&b, "%-17s %5.1f %%", u.Bucket, u.Utilization)
		if u.ResetsAt != 0 {
			b.WriteString("   " + resets(u.ResetsAt))
		}
		b.WriteByte('\n')
	}
	if r.Error != "" {
		fmt.Fprintf(&b, "last try: %s\n", r.Error)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
