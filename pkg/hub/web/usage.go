package web

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/coordhq/coord/pkg/coord"
	"github.com/coordhq/coord/pkg/hub/quota"
	"github.com/coordhq/coord/pkg/tool"
)

// Quota tells how much of the user's allowance is used; it is implemented by
// quota.Meter.
type Quota interface {
	Get(ctx context.Context, now bool) quota.Report
}

// quota answers GET /api/quota, and POST /api/quota/refresh, which asks for a
// new measurement. A hub that was not told to measure says so.
func (s *Server) quota(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.query(r, nil); err != nil {
		return err
	}
	report := quota.Report{Buckets: []coord.QuotaUse{}, History: []quota.Sample{}}
	if s.o.Quota != nil {
		report = s.o.Quota.Get(r.Context(), r.Method == http.MethodPost)
	}
	write(w, r, http.StatusOK, report)
	return nil
}

// recordTokens takes what a client's turns used.
func (s *Server) recordTokens(w http.ResponseWriter, r *http.Request) error {
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	body, err := readBody(r, nil)
	if err != nil {
		return err
	}
	result, err := s.o.Rules.Call(r.Context(), tool.RecordTokens.Name, body, key)
	if err != nil {
		return err
	}
	write(w, r, http.StatusOK, result)
	return nil
}

// Tokens answers GET /api/tokens: the sums, and what they cost where a price is
// known.
type Tokens struct {
	Totals     []TokenTotal `json:"totals"`
	NextCursor string       `json:"next_cursor,omitempty"`
}

// TokenTotal is one sum with its cost.
type TokenTotal struct {
	tool.TokenTotal
	Cost *float64 `json:"cost_usd,omitempty"` // absent when the model has no configured price
}

func (s *Server) tokens(w http.ResponseWriter, r *http.Request) error {
	args, err := s.query(r, tool.TokensUsed.Op)
	if err != nil {
		return err
	}
	if _, given := args["limit"]; !given {
		args["limit"] = 200
	}
	in, err := json.Marshal(args)
	if err != nil {
		return err
	}
	raw, err := s.o.Rules.Call(r.Context(), tool.TokensUsed.Name, in, "")
	if err != nil {
		return err
	}
	var sums tool.TokensUsedOut
	if err := json.Unmarshal(raw, &sums); err != nil {
		return err
	}
	out := Tokens{Totals: []TokenTotal{}, NextCursor: sums.NextCursor}
	for _, sum := range sums.Totals {
		total := TokenTotal{TokenTotal: sum}
		if cost, ok := s.o.Prices.Cost(sum.Model, sum.Input, sum.Output, sum.CacheRead, sum.CacheCreation); ok {
			total.Cost = &cost
		}
		out.Totals = append(out.Totals, total)
	}
	write(w, r, http.StatusOK, out)
	return nil
}

// metrics serves Prometheus, which asks with the token of the user.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) error {
	if s.o.Metrics == nil {
		return coord.Errorf(coord.NotFound, "this hub is part of a program that does not count", "there are no metrics")
	}
	s.o.Metrics.ServeHTTP(w, r)
	return nil
}
