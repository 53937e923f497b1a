/** README against the code: its tables say what is so, and its links lead somewhere. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import manifest from '../../package.json' with { type: 'json' };
import { exitCodeMeanings } from '../../src/cli/exit-codes.ts';
import { cliSettings, codecServerSettings, settings } from '../../src/config.ts';

const root = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');

/** Cells of the table rows under a heading that begin with code; the formatter pads them. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const [, section = ''] = readme.split(`\n## ${heading}\n`);
  const [own = ''] = section.split('\n## ');
  return own
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.trim()),
    );
}

/** As README's table shows them. */
function settingRows(schema: z.ZodObject): readonly (readonly string[])[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties).map(([key, property]) => {
    if (typeof property === 'boolean') throw new Error(`${key} has no description`);
    const fallback = property.default === undefined ? 'none' : `\`${property.default}\``;
    return [`\`${key}\``, required.includes(key) ? 'needed' : fallback, property.description ?? ''];
  });
}

/** Everything in backticks. */
function named(cell = ''): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

describe('README', () => {
  test('lists every setting with default and meaning', () => {
    expect(rowsUnder('Configuration')).toEqual([
      ...settingRows(settings),
      ...settingRows(codecServerSettings),
      ...settingRows(cliSettings),
    ]);
  });

  test('lists every script of package.json and every exit code', () => {
    const rows = rowsUnder('Commands');
    const scripts = Object.keys(manifest.scripts).map((name) =>
      ['start', 'test'].includes(name) ? `npm ${name}` : `npm run ${name}`,
    );
    expect(rows.map(([command]) => named(command)[0])).toEqual(expect.arrayContaining(scripts));
    const codes = Object.entries(exitCodeMeanings).map(([code, meaning]) => [
      `\`${code}\``,
      meaning,
    ]);
    expect(rows).toEqual(expect.arrayContaining(codes));
  });

  test('gives a reason for every dependency', () => {
    const rows = rowsUnder('Dependencies');
    const packages = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(rows.flatMap(([names]) => named(names)).toSorted()).toEqual(packages.toSorted());
    expect(rows.filter(([, reason = '']) => reason.trim() === '')).toEqual([]);
  });
});

test.each(['README.md', 'ARCHITECTURE.md'])('links of %s lead somewhere', (page) => {
  const text = readFileSync(new URL(page, root), 'utf8');
  const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
    ([, target]) => target ?? '',
  );
  expect(targets.filter((target) => !existsSync(new URL(target, root)))).toEqual([]);
});
