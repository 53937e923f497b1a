/** Rules, their tests, runbooks and dashboard against each other and against the metrics that are really told. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { definitions } from '../../../src/observability/metrics.ts';
import { panelQueries, root } from '../../support/dashboard.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const rules = read('ops/prometheus/alerts.yml');
const matches = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, found = '']) => found);

const alerts = matches(rules, /- alert: (\w+)/g);
const runbooks = matches(rules, /runbook: (\S+)/g);

describe('alerts', () => {
  test('the guide’s four, Temporal’s five and ours', () => {
    expect(alerts).toEqual([
      ...['FileAccessFailing', 'RaceConditions', 'CircuitBreakerOpening', 'ProcessingSlow'],
      ...['WorkerStoppedPolling', 'WorkflowNotDeterministic', 'WorkflowTaskTooLarge'],
      ...['WorkflowTasksWait', 'TemporalRefuses'],
      ...['DocumentsStuck', 'NobodyPolls', 'WebhooksRejected', 'ParserSilent'],
    ]);
  });

  test('each has a runbook under its own name, and no runbook is left over', () => {
    const names = alerts.map((alert) => alert.replaceAll(/(?<=.)[A-Z]/g, '-$&').toLowerCase());
    expect(runbooks).toEqual(names.map((name) => `ops/runbooks/${name}.md`));
    for (const runbook of runbooks) expect(existsSync(join(root, runbook)), runbook).toBe(true);
    const others = readdirSync(join(root, 'ops/runbooks')).filter(
      (file) => !runbooks.includes(`ops/runbooks/${file}`),
    );
    for (const file of others) expect(alerts.join()).not.toContain(file);
  });

  test('each runbook says what it means, where to look, what to do and when it is over', () => {
    for (const runbook of runbooks) {
      for (const part of ['**Means.**', '**Look.**', '**Do.**', '**Over**', '**Followed.**']) {
        expect(read(runbook), runbook).toContain(part);
      }
    }
  });

  test('each has a test in which it fires and one in which it stays quiet', () => {
    const cases = matches(read('ops/prometheus/alerts.test.yml'), /- name: (\w+ (?:fires|stays))/g);
    expect(cases.toSorted()).toEqual(
      alerts.flatMap((alert) => [`${alert} fires`, `${alert} stays`]).toSorted(),
    );
  });
});

describe('names of metrics', () => {
  const recorded = matches(rules, /- record: (\S+)/g);
  const told = new Set<string>([
    ...recorded,
    ...Object.entries(definitions).flatMap(([name, { type }]) =>
      type === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  ]);
  const used = (text: string) => matches(text, /\b(intake[:_][a-z0-9_:]+)/g);

  test.each([
    ['rules', rules],
    [
      'dashboard',
      panelQueries()
        .map(({ expr }) => expr)
        .join('\n'),
    ],
    ['tests of the rules', read('ops/prometheus/alerts.test.yml')],
    ['runbooks', runbooks.map(read).join('\n')],
  ])('in %s are told by somebody', (_what, text) => {
    const names = used(text).filter((name) => !/^intake[:_](api|worker)\b/.test(name));
    expect(names.length).toBeGreaterThan(5);
    expect([...new Set(names)].filter((name) => !told.has(name))).toEqual([]);
  });
});
