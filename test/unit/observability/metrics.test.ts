import { describe, expect, test } from 'vitest';
import { createLogger } from '../../../src/observability/logger.ts';
import { createMetrics, definitions } from '../../../src/observability/metrics.ts';
import { startMetricsServer } from '../../../src/observability/metrics-server.ts';

const logger = createLogger('test', 'silent');

describe('names', () => {
  const all = Object.entries(definitions);

  test('are ours, and counters end as Prometheus asks', () => {
    for (const [name, { type }] of all) {
      expect(name).toMatch(/^intake_[a-z_]+$/);
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      expect(type !== 'histogram' || name.endsWith('_seconds'), name).toBe(true);
    }
  });

  test('no label grows with documents, owners or files', () => {
    const labels = all.flatMap(([, definition]) => Object.keys(definition.labels));
    expect([...new Set(labels)].toSorted()).toEqual([
      ...['code', 'heard_by', 'kind', 'method', 'outcome', 'route', 'source', 'stage'],
      ...['state', 'status', 'status_code', 'task_type', 'try', 'waiting_for'],
    ]);
  });
});

test('a counter begins at zero, so that its first event is an increase', async () => {
  const metrics = createMetrics();
  expect(await metrics.render()).toContain('intake_races_total{kind="superseded"} 0');
  metrics.count('intake_races_total', { kind: 'superseded' });
  expect(await metrics.render()).toContain('intake_races_total{kind="superseded"} 1');
});

describe('listener', () => {
  const read = async (port: number | undefined, path = '/metrics', method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    return { status: response.status, text: await response.text() };
  };
  const start = (options: Partial<Parameters<typeof startMetricsServer>[0]> = {}) =>
    startMetricsServer({
      ...{ host: '127.0.0.1', port: 0, metrics: createMetrics(), logger },
      ...options,
    });

  test('tells ours, those of Node and those of the SDK, brought up to date', async () => {
    const metrics = createMetrics();
    const server = await start({
      metrics,
      refresh: async () => metrics.set('intake_task_queue_pollers', { task_type: 'workflow' }, 7),
      append: async () => '# TYPE temporal_num_pollers gauge\ntemporal_num_pollers 3\n',
    });
    const { text } = await read(server.port);
    expect(text).toContain('intake_task_queue_pollers{task_type="workflow"} 7\n');
    expect(text).toContain('\nnodejs_eventloop_lag_seconds ');
    expect(text).toContain('\ntemporal_num_pollers 3\n');
    await server.close();
  });

  test('an SDK that does not answer takes nothing else with it, and is counted', async () => {
    const server = await start({ append: () => Promise.reject(new Error('gone')) });
    const { text } = await read(server.port);
    expect(text).toContain('intake_scrape_errors_total{source="sdk"} 1');
    await server.close();
  });

  test('tells nothing else, and nobody who writes', async () => {
    const server = await start();
    expect((await read(server.port, '/')).status).toBe(404);
    expect((await read(server.port, '/metrics', 'POST')).status).toBe(404);
    await server.close();
  });

  test('without a port there is none', async () => {
    const server = await start({ port: undefined });
    expect(server.port).toBeUndefined();
    await server.close();
  });
});
