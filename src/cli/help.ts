/** What `--help` says beyond commander's own lists. */
import { z } from 'zod';
import { cliSettings } from '../config.ts';
import { exitCodeMeanings } from './exit-codes.ts';

/** Under a command: a task each, and what to type. */
export function examples(purposes: Readonly<Record<string, string>>): string {
  return section('Examples', Object.entries(purposes));
}

export const programHelp = [
  examples({
    'intake up': 'start everything on this machine and ingest a sample',
    'intake ingest plan.pdf --wait': 'send a document and wait until it can be asked',
    'intake search "How soon will I hear back?"': 'ask all documents',
    'intake help COMMAND': 'more about a command',
  }),
  section(
    'Environment',
    Object.entries(z.toJSONSchema(cliSettings, { io: 'input' }).properties ?? {}).map(
      ([key, property]) => [key, typeof property === 'object' ? (property.description ?? '') : ''],
    ),
  ),
].join('\n');

export const exitCodeHelp = section(
  'Exit codes (the highest, where there are several documents)',
  Object.entries(exitCodeMeanings),
);

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([term]) => term.length));
  const lines = rows.map(([term, words]) => `  ${term.padEnd(width)}  ${words}`.trimEnd());
  return ['', `${title}:`, ...lines].join('\n');
}
