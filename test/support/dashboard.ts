/** The dashboard file, as its panels ask Prometheus. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface PanelQuery {
  readonly panel: string;
  readonly expr: string;
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

export function panelQueries(): readonly PanelQuery[] {
  const file = readFileSync(join(root, 'ops/grafana/intake.json'), 'utf8');
  const { panels } = JSON.parse(file) as { panels: readonly Panel[] };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ panel: title, expr })),
  );
}
