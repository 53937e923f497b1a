/** The rules of migrations (ARCHITECTURE.md): forward only, never changed once released, safe while the version before runs. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const folder = new URL('../../../supabase/migrations/', import.meta.url);
const files = readdirSync(folder).toSorted();
const read = (file: string) => readFileSync(new URL(file, folder), 'utf8');

/** As they were released: a change of one would reach no database that has it. */
const released = {
  '20261124000001_roles.sql': '4105d1cc650f345250d4be2dcbdaee303543125eb1665b363def15cdfb7ed6af',
  '20261124000002_intake.sql': '827a4f90cdd8fb19ca923d61232b0647f1cd7e6b49f890af94b674a26b32ab1f',
  '20261124000003_upload_pipeline_views.sql':
    '73cd564575cd9ab0474218434c895aed01713fdcc489500abd68557f7aea8ba6',
  '20261124000004_parse_job_tries.sql':
    'f6ef87277a290efe84be7d2c1f462d81e6e39b01d1c2a311dfd1cd8f28a3acc6',
} as const;

/** The first schema: nothing ran before it. */
const baseline = Object.keys(released).slice(0, 3);

test('are named as the Supabase CLI names them, in one order', () => {
  for (const file of files) expect(file).toMatch(/^\d{14}_[a-z0-9_]+\.sql$/);
  const stamps = files.map((file) => file.slice(0, 14));
  expect(new Set(stamps).size).toBe(files.length);
});

test.each(Object.entries(released))('%s is as it was released', (file, hash) => {
  expect(createHash('sha256').update(read(file)).digest('hex')).toBe(hash);
});

/** What the version before would trip over. A step that contracts says so, and since when nobody uses it. */
const contracting = [
  /\bdrop\s+(table|column|view|function|type|schema|constraint)\b/,
  /\brename\b/,
  /\balter\s+column\s+\S+\s+(type|set\s+data\s+type|set\s+not\s+null)\b/,
  /\badd\s+column\s+(?![^,;]*\bdefault\b)[^,;]*\bnot\s+null\b/,
  /\brevoke\b/,
];
const SAYS_SO = /^-- contract: nobody uses it since \S+/m;

function contractsIn(sql: string): readonly string[] {
  const statements = sql.toLowerCase().replaceAll(/--.*$/gm, '');
  if (SAYS_SO.test(sql.toLowerCase())) return [];
  return contracting.flatMap((pattern) => statements.match(pattern)?.[0] ?? []);
}

describe('expand, and contract a version later', () => {
  test.each(files.filter((file) => !baseline.includes(file)))('%s', (file) => {
    expect(contractsIn(read(file))).toEqual([]);
  });

  test.each([
    'alter table intake.documents drop column name',
    'alter table intake.documents rename column name to title',
    'alter table intake.documents alter column name set not null',
    'alter table intake.documents add column title text not null',
    'drop table intake.events',
  ])('tells of %s', (sql) => {
    expect(contractsIn(sql)).not.toEqual([]);
    expect(contractsIn(`-- Contract: nobody uses it since 1.4\n${sql}`)).toEqual([]);
  });

  test.each([
    'alter table intake.documents add column title text',
    `alter table intake.documents add column title text not null default ''`,
    '-- what is dropped: drop table',
  ])('lets %s be', (sql) => {
    expect(contractsIn(sql)).toEqual([]);
  });
});

test('have no way back: another runner would take it at once', () => {
  for (const file of files) expect(read(file)).not.toMatch(/down migration/i);
});
