/** Cells side by side: each lane is a ground of its own, since a killed process takes all its documents with it. */
import { type Cell, inWords, type Result } from './cell.ts';
import { type Ground, layGround } from './ground.ts';

export async function runInLanes(
  cells: readonly Cell[],
  lanes: number,
  tell: (result: Result) => void,
): Promise<readonly Result[]> {
  const waiting = [...cells];
  const results: Result[] = [];
  const lane = async () => {
    let ground: Ground | undefined;
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
      const { group, name } = cell;
      const laid: Ground = ground ?? (await layGround());
      ground = laid;
      const outcome = await cell.run(laid).catch((error: unknown) => ({
        recoveryMs: undefined,
        wrong: [`${error}`, ...inWords(laid, [])],
      }));
      const isWrong = outcome.wrong.length > 0;
      const wrong = isWrong ? [...outcome.wrong, `logs in ${laid.folder}`] : [];
      const result = { group, name, ...outcome, wrong };
      results.push(result);
      tell(result);
      if (!isWrong) continue;
      // It must not be counted against the next cell.
      await laid.close({ keep: true });
      ground = undefined;
    }
    await ground?.close();
  };
  await Promise.all(Array.from({ length: Math.min(lanes, cells.length) }, lane));
  return results;
}
