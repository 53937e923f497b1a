import { expect, test } from 'vitest';
import { describeRefusal } from '../../../src/cli/failure-words.ts';
import { IntakeError } from '../../../src/domain/errors.ts';

test('a local stack that is stopped is told as that, with how to start it, and blames nobody', () => {
  const detail = 'http://127.0.0.1:20001 refuses the connection';
  const words = describeRefusal(new IntakeError('NOT_RUNNING', { detail }));
  expect(words).toContain(`not running at this address of your machine.\n  ${detail}\n`);
  expect(words).toContain('npm start');
  expect(words).not.toContain('Our turn');
});

test('a migration that failed is not answered with the command that was just run, but with what to mend first', () => {
  const detail = 'permission denied to create extension "vector"';
  const words = describeRefusal(new IntakeError('MIGRATION_FAILED', { detail }));
  expect(words).toContain(detail);
  expect(words).toMatch(/rolled back.+Mend what it names/);
});
