/** A guard that `npm run guards` cannot find in the code watches nothing. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { guards } from '../guards/guards.ts';

const root = new URL('../../', import.meta.url);

test.each(guards.map((guard) => [guard.name, guard] as const))(
  '%s: is there to be taken out',
  (_name, guard) => {
    for (const { file, text } of guard.remove) {
      expect(readFileSync(new URL(file, root), 'utf8')).toContain(text);
    }
  },
);
