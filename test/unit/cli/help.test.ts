import { expect, test } from 'vitest';
import { cancelCommand } from '../../../src/cli/commands/cancel.ts';
import { deleteCommand } from '../../../src/cli/commands/delete.ts';
import { explainCommand } from '../../../src/cli/commands/explain.ts';
import { extendCommand } from '../../../src/cli/commands/extend.ts';
import { failCommand } from '../../../src/cli/commands/fail.ts';
import { ingestCommand } from '../../../src/cli/commands/ingest.ts';
import { listCommand } from '../../../src/cli/commands/list.ts';
import { migrateCommand } from '../../../src/cli/commands/migrate.ts';
import { pollCommand } from '../../../src/cli/commands/poll.ts';
import { reconcileCommand } from '../../../src/cli/commands/reconcile.ts';
import { redriveCommand } from '../../../src/cli/commands/redrive.ts';
import { retryCommand } from '../../../src/cli/commands/retry.ts';
import { searchCommand } from '../../../src/cli/commands/search.ts';
import { statusCommand } from '../../../src/cli/commands/status.ts';
import { upCommand } from '../../../src/cli/commands/up.ts';
import { watchCommand } from '../../../src/cli/commands/watch.ts';
import { run } from '../../support/cli.ts';

test.each([
  ['up', upCommand],
  ['ingest', ingestCommand],
  ['status', statusCommand],
  ['watch', watchCommand],
  ['search', searchCommand],
  ['list', listCommand],
  ['retry', retryCommand],
  ['cancel', cancelCommand],
  ['delete', deleteCommand],
  ['explain', explainCommand],
  ['poll', pollCommand],
  ['extend', extendCommand],
  ['fail', failCommand],
  ['redrive', redriveCommand],
  ['migrate', migrateCommand],
  ['reconcile', reconcileCommand],
])('%s explains itself with examples and knows --json', async (name, command) => {
  const { stdout, stderr, exitCode } = await run(command, '--help');
  expect(stdout).toMatch(new RegExp(`Examples:\n.*intake ${name}`));
  expect(stdout).toContain('--json');
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
});

test('migrate names the setting that it needs', async () => {
  const { stdout, exitCode } = await run(migrateCommand, '--json');
  expect(JSON.parse(stdout).error).toMatchObject({
    code: 'CONFIGURATION_INVALID',
    detail: expect.stringContaining('DATABASE_URL'),
  });
  expect(exitCode).toBe(2);
});
