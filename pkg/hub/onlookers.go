package hub

import "github.com/coordhq/coord/pkg/coord"

// maxOnlookerAgents bounds the agents named in an announcement.opened event.
const maxOnlookerAgents = 10

// emitAnnounced logs an announcement with its verdict for those who look on. It
// goes to no inbox: whom it concerns hears of the thread.
func (t *txn) emitAnnounced(me *coord.Agent, a *coord.Announcement, concerned, impacts []coord.Impact) {
	payload := coord.Announced{Announcement: a.ID, Name: me.Name, Subject: a.Subject, TargetFiles: []string{}, Category: coord.Pass}
	if len(impacts) > 0 {
		payload.Score, payload.Layer, payload.Category = impacts[0].Score, impacts[0].Layer, coord.CategoryOf(impacts[0].Score)
		payload.Layers = map[coord.Layer]int{}
	}
	for _, i := range impacts {
		for _, r := range i.Reasons {
			payload.Layers[r.Layer]++
		}
	}
	for _, target := range a.Targets[:min(len(a.Targets), maxEventFiles)] {
		payload.TargetFiles = append(payload.TargetFiles, target.String())
	}
	payload.TargetFiles, _ = some(payload.TargetFiles, maxEventBytes)
	payload.More = len(a.Targets) - len(payload.TargetFiles)
	payload.TargetModules, _ = some(a.Modules, maxModuleBytes)
	payload.Concerned = list(agentsOf(concerned[:min(len(concerned), maxOnlookerAgents)]))
	t.emit(news{kind: coord.KindAnnounced, project: me.Project, actor: me.ID, thread: a.Thread, priority: coord.Low, payload: payload})
}
