/** A copy of the project in which something is changed: another version of it, beside this one. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Change {
  readonly file: string;
  /** Stands there exactly once. */
  readonly text: string;
  readonly with: string;
}

export interface ProjectCopy {
  readonly folder: string;
  /** False when one of the texts does not stand there exactly once; nothing is changed then. */
  change(changes: readonly Change[]): boolean;
  /** As the project has them. */
  restore(files: readonly string[]): void;
  remove(): void;
}

const root = join(import.meta.dirname, '../..');

/** Of everything, unless files or folders are named. */
export function copyProject(name: string, paths = projectFiles()): ProjectCopy {
  // Inside the project, so that packages are found; ignored by git.
  const folder = join(root, '.intake', `${name}-${process.pid}`);
  for (const path of paths) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  symlinkSync(join(root, '.tools'), join(folder, '.tools'));
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  return {
    folder,
    change: (changes) => {
      if (!changes.every(({ file, text }) => read(file).split(text).length === 2)) return false;
      for (const { file, text, with: instead } of changes) {
        writeFileSync(
          join(folder, file),
          read(file).replace(text, () => instead),
        );
      }
      return true;
    },
    restore: (files) => {
      for (const file of files) cpSync(join(root, file), join(folder, file));
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function projectFiles(): readonly string[] {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  return execFileSync('git', list, { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
}
