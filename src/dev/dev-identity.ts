/** Who uses the local stack: ordinary Supabase tokens, signed with the clone's own key. The API has no other way in. */
import { SignJWT } from 'jose';
import type { DevSecrets } from './dev-secrets.ts';

export interface DevIdentity {
  /** The development user's access token. */
  readonly userToken: string;
  /** Key of the storage stand-in, in the JWT form of Supabase's service key. */
  readonly serviceKey: string;
}

/** `supabaseUrl` decides the issuer that the API expects. */
export async function mintIdentity(secrets: DevSecrets, supabaseUrl: string): Promise<DevIdentity> {
  const key = new TextEncoder().encode(secrets.jwtSecret);
  const sign = (claims: Readonly<Record<string, string>>, lifetime: string) =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuedAt()
      .setExpirationTime(lifetime)
      .sign(key);
  return {
    userToken: await sign(
      {
        iss: `${supabaseUrl}/auth/v1`,
        aud: 'authenticated',
        role: 'authenticated',
        sub: secrets.userId,
      },
      '30 days',
    ),
    serviceKey: await sign({ iss: 'supabase', role: 'service_role' }, '10 years'),
  };
}
