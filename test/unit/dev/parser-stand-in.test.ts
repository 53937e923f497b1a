import { describe, expect, it, vi } from 'vitest';
import { demoteRunningHeads } from '../../../src/dev/parser-stand-in/demote-running-heads.ts';
import { watchMemory } from '../../../src/dev/parser-stand-in/memory-watch.ts';
import { createPermits } from '../../../src/dev/parser-stand-in/permits.ts';
import { htmlEncoding } from '../../../src/parsing/html-encoding.ts';
import { eventually } from '../../support/eventually.ts';

describe('permits', () => {
  it('lets as many in as there are, in order, and one alone only when all others are out', async () => {
    const permits = createPermits(2);
    const log: string[] = [];
    const gates = new Map<string, () => void>();
    const enter = (name: string, alone = false) =>
      permits.use(
        async () => {
          log.push(name);
          await new Promise<void>((resolve) => gates.set(name, resolve));
        },
        { alone },
      );
    const leave = async (name: string, done: Promise<void>) => {
      gates.get(name)?.();
      await done;
    };

    const a = enter('a');
    const b = enter('b');
    const alone = enter('alone', true);
    const c = enter('c');
    await eventually(() => expect(log).toEqual(['a', 'b']));
    await leave('a', a);
    expect(log).toEqual(['a', 'b']);
    await leave('b', b);
    await eventually(() => expect(log).toEqual(['a', 'b', 'alone']));
    await leave('alone', alone);
    await eventually(() => expect(log).toEqual(['a', 'b', 'alone', 'c']));
    await leave('c', c);
  });

  it('gives a permit back after a failure', async () => {
    const permits = createPermits(1);
    await expect(permits.use(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(permits.use(async () => 'next')).resolves.toBe('next');
  });
});

describe('running heads', () => {
  const page = (number: number, markdown: string) =>
    ({ page_number: number, success: true, markdown }) as const;

  it('lose their rank from the third page on that begins alike, page numbers aside', () => {
    const pages = [1, 2, 3].map((number) => page(number, `# Manual page ${number}\n\n## Part`));
    expect(demoteRunningHeads(pages)).toEqual(
      [1, 2, 3].map((number) => page(number, `Manual page ${number}\n\n## Part`)),
    );
  });

  it('are left alone where they do not run', () => {
    const pages = [page(1, '# Plan'), page(2, '# Plan'), page(3, 'Text'), page(4, '# Claims')];
    expect(demoteRunningHeads(pages)).toEqual(pages);
  });
});

it('a process over its memory is noticed', async () => {
  const exceeded = vi.fn<() => void>();
  const stop = watchMemory(process.pid, 1, exceeded);
  await vi.waitFor(() => expect(exceeded).toHaveBeenCalled(), { timeout: 10_000 });
  stop();
});

describe('encoding of HTML', () => {
  it.each([
    ['', 'utf-8'],
    ['\u00ef\u00bb\u00bf<html>', 'utf-8'],
    ['\u00ff\u00fe<\0', 'utf-16le'],
    ['<meta charset="ISO-8859-1">', 'iso-8859-1'],
    ["<meta http-equiv='Content-Type' content='text/html; charset=windows-1252'>", 'windows-1252'],
    ['<?xml version="1.0" encoding="Shift_JIS"?>', 'shift_jis'],
    ['<meta charset="utf-16">', 'utf-8'],
    ['<meta charset="klingon">', 'utf-8'],
  ])('%j: %s', (head, encoding) => {
    expect(htmlEncoding(Buffer.from(head, 'latin1'))).toBe(encoding);
  });
});
