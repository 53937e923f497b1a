/** Version 2 of the workflow, as a change of version 1: one that cannot replay what version 1 began, and one that can. */
import type { Change } from '../support/project-copy.ts';

const file = 'workflows/ingest-document.ts';
const first = "  if (startStage === 'verify') await awaitUpload(ref, policy, tools);\n";

const withImport = (name: string): Change => ({
  file,
  text: '  isCancellation,\n  upsertSearchAttributes,',
  with: `  isCancellation,\n  ${name},\n  sleep,\n  upsertSearchAttributes,`,
});

/** Another command stands first. */
export const incompatible: readonly Change[] = [
  {
    file,
    text: '  isCancellation,\n  upsertSearchAttributes,',
    with: '  isCancellation,\n  sleep,\n  upsertSearchAttributes,',
  },
  { file, text: first, with: `  await sleep('10 milliseconds');\n${first}` },
];

export const PATCH = 'drill';

/** The same, for runs that begin after it. */
export const patched: readonly Change[] = [
  withImport('patched'),
  {
    file,
    text: first,
    with: `  if (patched('${PATCH}')) await sleep('10 milliseconds');\n${first}`,
  },
];
