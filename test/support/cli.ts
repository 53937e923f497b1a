/** The command line against the API on loopback, over a document service that a test scripts. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { vi } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';
import type { Streams, Terminal } from '../../src/cli/terminal.ts';
import { type ApiOptions, apiUnderTest } from './api-under-test.ts';

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the API and lets the environment point to it. */
export async function serveApi(options: ApiOptions = {}): Promise<{ url: string; token: string }> {
  const { app, token } = await apiUnderTest(options);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  vi.stubEnv('INTAKE_URL', url);
  vi.stubEnv('INTAKE_TOKEN', token);
  return { url, token };
}

/** Runs one command within this process, its output piped. */
export function run(
  createCommand: (terminal: Terminal) => Command,
  ...argv: readonly string[]
): Promise<Outcome> {
  return runOn({ stdin: new PassThrough() }, createCommand, argv);
}

/** The same with a person at the keyboard, who types `lines` and then leaves. */
export function runAtKeyboard(
  lines: string,
  createCommand: (terminal: Terminal) => Command,
  argv: readonly string[],
): Promise<Outcome> {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  stdin.end(lines);
  return runOn({ stdin, stderrIsTty: true }, createCommand, argv);
}

async function runOn(
  { stdin, stderrIsTty = false }: { stdin: Streams['stdin']; stderrIsTty?: boolean },
  createCommand: (terminal: Terminal) => Command,
  argv: readonly string[],
): Promise<Outcome> {
  const stdout = new PassThrough();
  const stderr = Object.assign(new PassThrough(), { isTTY: stderrIsTty });
  const written = Promise.all([text(stdout), text(stderr)]);
  const exitCode = await runCommand(createCommand, argv, { stdin, stdout, stderr });
  stdout.end();
  stderr.end();
  const [out, err] = await written;
  return { exitCode, stdout: out, stderr: err };
}

/** A port of this machine's own choice. */
export async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
