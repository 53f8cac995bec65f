package config

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/coordhq/coord/pkg/coord"
)

// Price is what a model costs, in US dollars for a million tokens.
type Price struct {
	Input         float64 `json:"input"`
	Output        float64 `json:"output"`
	CacheRead     float64 `json:"cache_read"`
	CacheCreation float64 `json:"cache_creation"`
}

// Prices are the prices of models, by the beginning of the model's name
// ("claude-sonnet" stands for all of them; the longest that fits counts).
type Prices map[string]Price

// Cost gives what tokens cost, in US dollars; false when the model has no price.
func (p Prices) Cost(model string, input, output, cacheRead, cacheCreation int64) (float64, bool) {
	best, found := "", false
	for name := range p {
		if strings.HasPrefix(model, name) && (!found || len(name) > len(best)) {
			best, found = name, true
		}
	}
	price := p[best]
	return (float64(input)*price.Input + float64(output)*price.Output + float64(cacheRead)*price.CacheRead +
		float64(cacheCreation)*price.CacheCreation) / 1e6, found
}

// readPrices reads "prices" of config.json.
func readPrices(raw json.RawMessage) (Prices, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var p Prices
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, badPrices()
	}
	for name, price := range p {
		for _, v := range []float64{price.Input, price.Output, price.CacheRead, price.CacheCreation} {
			if name == "" || v < 0 || math.IsInf(v, 0) || v > 1e6 {
				return nil, badPrices()
			}
		}
	}
	return p, nil
}

func badPrices() error {
	return coord.Errorf(coord.Invalid, `write {"prices":{"MODEL":{"input":3,"output":15,"cache_read":0.3,"cache_creation":3.75}}}, in dollars for a million tokens`,
		"prices in config.json cannot be read")
}
