/** A process of ours that ends before its time, by a fault or by Ctrl-C, leaves nothing running. */
import type { Child } from '../../src/dev/child-process.ts';

const children = new Set<Child>();

process.once('exit', () => {
  for (const { pid } of children) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  }
});

export function endsWithUs(child: Child): void {
  children.add(child);
  void child.exited.then(() => children.delete(child));
}
