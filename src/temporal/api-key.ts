/**
 * A new API key without a restart: the profile file of `TEMPORAL_CONFIG_FILE` is read again and again, and the key that
 * an operator has put there is taken over. A key in `TEMPORAL_API_KEY` is fixed for the life of the process.
 */
const EVERY_MS = 15_000;

interface Follower {
  /** The key that the settings name now. */
  readonly read: () => string | undefined;
  readonly take: (apiKey: string) => void | Promise<void>;
  /** A file half-written, a key that was refused: the old one stays, and the next look tries again. */
  readonly onFault: (error: unknown) => void;
}

/** Answers how to stop. */
export function followApiKey({ read, take, onFault }: Follower): () => void {
  let present = read();
  const look = async () => {
    try {
      const apiKey = read();
      if (apiKey === undefined || apiKey === present) return;
      await take(apiKey);
      present = apiKey;
    } catch (error) {
      onFault(error);
    }
  };
  const timer = setInterval(() => void look(), EVERY_MS).unref();
  return () => clearInterval(timer);
}
