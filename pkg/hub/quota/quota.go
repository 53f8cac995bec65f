package quota

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coordhq/coord/pkg/coord"
)

const (
	baseURL    = "https://api.anthropic.com"
	usagePath  = "/api/oauth/usage"
	fresh      = 120 * time.Second // how long an answer is good
	minBackOff = 60 * time.Second  // after a 429, whatever it says
	maxBackOff = 24 * time.Hour    // a server cannot silence us for longer
	retryAfter = 30 * time.Second  // after any other failure
	timeout    = 10 * time.Second
	maxAnswer  = 64 << 10 // bytes of an answer that are read
	maxHistory = 288      // measurements kept: a day at one in five minutes
)

// Options of a Meter.
type Options struct {
	Token   func(context.Context) (string, error) // required; see Credential
	BaseURL string                                // "" = the Anthropic API; another one must be https, or http on loopback
	Client  *http.Client                          // nil = one with a timeout of 10 s
	Now     func() time.Time                      // nil = time.Now
	Changed func(Report)                          // called after each answer; those who wait for it wait for this too; nil = nothing
	Log     *slog.Logger                          // nil = discard
}

func (o *Options) validate() error {
	if o.Token == nil {
		return errors.New("quota: Options.Token is missing")
	}
	if o.BaseURL == "" {
		o.BaseURL = baseURL
	}
	base, err := url.Parse(o.BaseURL)
	if err != nil || base.Host == "" {
		return fmt.Errorf("quota: Options.BaseURL %q is not a URL", o.BaseURL)
	}
	if loopback := base.Hostname() == "127.0.0.1" || base.Hostname() == "::1" || base.Hostname() == "localhost"; base.Scheme != "https" && (base.Scheme != "http" || !loopback) {
		return fmt.Errorf("quota: Options.BaseURL %q would send the login in the clear", o.BaseURL)
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: timeout}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Changed == nil {
		o.Changed = func(Report) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Report is what is known of the quota.
type Report struct {
	Enabled   bool             `json:"enabled"`
	Buckets   []coord.QuotaUse `json:"buckets"`              // empty until the first answer
	FetchedAt coord.Millis     `json:"fetched_at,omitempty"` // of the buckets
	Stale     bool             `json:"stale,omitempty"`      // a newer answer was wanted and not had: see error
	Error     string           `json:"error,omitempty"`      // why the last try failed
	RetryAt   coord.Millis     `json:"retry_at,omitempty"`   // no request goes out before
	History   []Sample         `json:"history"`              // oldest first
}

// Sample is one earlier measurement.
type Sample struct {
	Time    coord.Millis     `json:"time"`
	Buckets []coord.QuotaUse `json:"buckets"`
}

// Meter keeps the newest answer. Its methods may be called by any goroutine.
type Meter struct {
	o      Options
	client *http.Client
	log    *slog.Logger
	ctx    context.Context // ends with Stop
	cancel context.CancelFunc
	work   sync.WaitGroup // requests that are out

	mu      sync.Mutex // guards the rest
	last    Report
	flight  chan struct{} // closed when the request that is out has ended; nil = none is out
	backOff time.Time
}

// New checks the options. It sends nothing.
func New(o Options) (*Meter, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	c := *o.Client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the login stays with its origin
	m := &Meter{o: o, client: &c, log: o.Log.With("component", "quota"), last: Report{Enabled: true}}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m, nil
}

// Stop ends a request that is out and waits for it. It is idempotent.
func (m *Meter) Stop() {
	m.cancel()
	m.work.Wait()
}

// Last gives what is known without asking.
func (m *Meter) Last() Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.report()
}

// Get gives the newest answer, asking for one when there is none or it is older
// than 120 s. With now it asks unless it was told to wait. It waits for the answer
// as long as ctx; the request itself goes on for those who come later. A failure
// stands in the report.
func (m *Meter) Get(ctx context.Context, now bool) Report {
	m.mu.Lock()
	if m.flight == nil && m.due(now) {
		m.flight = make(chan struct{})
		m.work.Go(m.fetch)
	}
	flight := m.flight
	m.mu.Unlock()
	if flight != nil {
		select {
		case <-flight:
		case <-ctx.Done():
		}
	}
	return m.Last()
}

// due decides whether a request goes out. mu is held.
func (m *Meter) due(now bool) bool {
	at := m.o.Now()
	if at.Before(m.backOff) || m.ctx.Err() != nil {
		return false
	}
	return now || m.last.FetchedAt == 0 || at.Sub(m.last.FetchedAt.Time()) >= fresh
}

// report copies what is known. mu is held.
func (m *Meter) report() Report {
	out := m.last
	out.Buckets = append([]coord.QuotaUse{}, m.last.Buckets...)
	out.History = append([]Sample{}, m.last.History...)
	return out
}

func (m *Meter) fetch() {
	ctx, cancel := context.WithTimeout(m.ctx, timeout)
	defer cancel()
	uses, wait, err := m.ask(ctx)
	m.mu.Lock()
	now := m.o.Now()
	m.last.Stale = err != nil && len(m.last.Buckets) > 0
	m.last.Error, m.last.RetryAt, m.backOff = "", 0, time.Time{}
	if err != nil {
		m.backOff = now.Add(wait)
		m.last.Error, m.last.RetryAt = err.Error(), coord.At(m.backOff)
		m.log.Warn("no usage", "err", err, "retry_in", wait)
	} else {
		m.last.Buckets, m.last.FetchedAt = uses, coord.At(now)
		m.last.History = append(m.last.History, Sample{m.last.FetchedAt, uses})
		m.last.History = m.last.History[max(0, len(m.last.History)-maxHistory):]
	}
	report, flight := m.report(), m.flight
	m.flight = nil
	m.mu.Unlock()
	m.o.Changed(report)
	close(flight)
}

// ask sends one request. On an error it says how long to keep silent.
func (m *Meter) ask(ctx context.Context) ([]coord.QuotaUse, time.Duration, error) {
	token, err := m.o.Token(ctx)
	if err != nil {
		return nil, retryAfter, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(m.o.BaseURL, "/")+usagePath, nil)
	if err != nil {
		return nil, retryAfter, errors.New("the base URL is not usable")
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Anthropic-Beta", "oauth-2025-04-20")
	req.Header.Set("Accept", "application/json")
	res, err := m.client.Do(req)
	if err != nil {
		return nil, retryAfter, fmt.Errorf("the API cannot be reached: %w", reason(err))
	}
	defer func() { _ = res.Body.Close() }() // what was wanted has been read
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case res.StatusCode == http.StatusTooManyRequests:
		return nil, m.retryAfter(res.Header.Get("Retry-After")), errors.New("the API asks us to wait (429)")
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden:
		return nil, retryAfter, fmt.Errorf("the API does not accept the client's login (%d): sign in again", res.StatusCode)
	case res.StatusCode != http.StatusOK:
		return nil, retryAfter, fmt.Errorf("the API answered with status %d", res.StatusCode)
	case err != nil:
		return nil, retryAfter, fmt.Errorf("the answer broke off: %w", reason(err))
	case len(body) > maxAnswer:
		return nil, retryAfter, fmt.Errorf("the answer is over %d bytes", maxAnswer)
	}
	uses, err := parse(body)
	return uses, retryAfter, err
}

// reason drops the URL that net/http puts around an error.
func reason(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// retryAfter reads the header, seconds or a date.
func (m *Meter) retryAfter(header string) time.Duration {
	wait := minBackOff
	if seconds, err := strconv.Atoi(header); err == nil {
		wait = time.Duration(min(max(seconds, 0), int(maxBackOff/time.Second))) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(m.o.Now())
	}
	return min(max(wait, minBackOff), maxBackOff)
}
