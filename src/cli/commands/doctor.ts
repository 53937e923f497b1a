/** `intake doctor`: proves that what Intake relies on does what it should, step by step. */
import { Command } from 'commander';
import type { Finding } from '../doctor/examine.ts';
import { exitCodes } from '../exit-codes.ts';
import { examples } from '../help.ts';
import { operatorEnvironment } from '../operator-environment.ts';
import type { Terminal } from '../terminal.ts';

export function doctorCommand(terminal: Terminal): Command {
  return new Command('doctor')
    .summary('try everything that Intake relies on (operators)')
    .description(
      'Tries configuration, database, storage, Temporal, parser, embedder, webhook and API, by the settings of the environment or of the stack that runs in this folder. Nothing is changed but one object, which is written and deleted again; nothing is paid for. Each line says what was seen, or what is wrong and how to mend it.',
    )
    .option('--json', 'one JSON object on stdout, and nothing else')
    .addHelpText(
      'after',
      examples({
        'intake doctor': 'before the first document, and whenever documents wait',
        'intake doctor --json | jq ".checks[] | select(.outcome != \\"ok\\")"': 'for programs',
      }),
    )
    .action(async () => {
      // Loaded here: it is most of Intake, and no other command should wait for it.
      const { diagnose } = await import('../doctor/diagnose.ts');
      const checks = await diagnose(operatorEnvironment());
      const ok = checks.every(({ outcome }) => outcome === 'ok');
      if (!ok) terminal.exitCode = exitCodes.failed;
      if (checks[0]?.outcome === 'invalid') terminal.exitCode = exitCodes.misused;
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
  const detail = finding.detail.replaceAll('\n', '\n       ');
  return [
    `${paint('red', 'wrong')}  ${name}  ${outcome}: ${detail}`,
    `       ${finding.mend}`,
  ].join('\n');
}
