/** `intake doctor`: proves that what Intake relies on does what it should, step by step. */
import { Command } from 'commander';
import { loadStorageConfig } from '../../config.ts';
import { SupabaseObjectStore } from '../../storage/supabase-object-store.ts';
import { type Finding, runChecks } from '../doctor/checks.ts';
import { storageChecks } from '../doctor/storage-checks.ts';
import { exitCodes } from '../exit-codes.ts';
import { examples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

/** Longest wait for one step. */
const STEP_TIMEOUT_MS = 10_000;

export function doctorCommand(terminal: Terminal): Command {
  return new Command('doctor')
    .summary('try what Intake relies on')
    .description(
      'Writes an object into the bucket of the environment’s SUPABASE_URL with its SUPABASE_SERVICE_ROLE_KEY, reads it, compares it and deletes it. Each step says what it saw, or what is wrong and how to mend it.',
    )
    .option('--json', 'one JSON object on stdout, and nothing else')
    .addHelpText(
      'after',
      examples({
        'intake doctor': 'before the first document, and whenever documents wait for storage',
      }),
    )
    .action(async () => {
      const { SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY, SUPABASE_BUCKET } = loadStorageConfig();
      const store = new SupabaseObjectStore({
        url: SUPABASE_URL,
        serviceRoleKey: SUPABASE_SERVICE_ROLE_KEY,
        bucket: SUPABASE_BUCKET,
        callTimeoutMs: STEP_TIMEOUT_MS,
        transferTimeoutMs: STEP_TIMEOUT_MS,
      });
      const checks = await runChecks(storageChecks(store));
      const ok = checks.every(({ outcome }) => outcome === 'ok');
      if (!ok) terminal.exitCode = exitCodes.failed;
      terminal.answer({ ok, checks }, (answer) =>
        answer.checks.map((finding) => describe(finding, terminal.paint)).join('\n'),
      );
    });
}

function describe(finding: Finding, paint: Terminal['paint']): string {
  const { name, outcome } = finding;
  if ('fact' in finding)
    return `${paint('green', 'ok')}     ${name}  ${finding.fact}, ${finding.ms} ms`;
  if ('because' in finding)
    return `${paint('yellow', '-')}      ${name}  not tried: ${finding.because} failed`;
  const detail = finding.detail === undefined ? '' : `: ${finding.detail}`;
  return [`${paint('red', 'wrong')}  ${name}  ${outcome}${detail}`, `       ${finding.mend}`].join(
    '\n',
  );
}
