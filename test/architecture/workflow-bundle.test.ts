/** The last net round the determinism boundary: what the bundler pulled in, whoever imported it. */
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { workflowBundle } from '../../src/worker/bundle-workflows.ts';

/** Bare it is 1.7 MB; one schema library imported by value adds 1 MB. */
const MOST_BYTES = 2_000_000;

describe('workflow bundle', () => {
  let code: string;
  let modules: readonly string[];

  beforeAll(async () => {
    code = await readFile(await workflowBundle(), 'utf8');
    modules = moduleNames(code);
  }, 60_000);

  it('holds the workflows', () => {
    expect(modules).toContain('./workflows/ingest-document.ts');
  });

  it('holds no other room and no activity', () => {
    const ours = modules.filter((name) => !name.startsWith('./node_modules/'));
    expect(ours.filter((name) => !/^\.\/(workflows|src\/domain)\//.test(name))).toEqual([]);
  });

  it('holds no package but the SDK and what that needs', () => {
    const packages = modules.flatMap((name) => {
      const [, found = []] = /^\.\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(name) ?? [];
      return found;
    });
    expect([...new Set(packages)].sort()).toEqual([
      '@temporalio/common',
      '@temporalio/workflow',
      'long',
      'ms',
      'nexus-rpc',
    ]);
  });

  it('stays small', () => {
    expect(Buffer.byteLength(code)).toBeLessThan(MOST_BYTES);
  });
});

/** Webpack heads every module with a comment that holds its path; those without a path are left-out options. */
function moduleNames(bundle: string): readonly string[] {
  return [...bundle.matchAll(/^\/\*{3}\/ "(\.[^"]+)"$/gm)].map(([, name = '']) => name);
}
