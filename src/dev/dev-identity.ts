/** Who uses the local stack: ordinary Supabase tokens, signed with the clone's own key. The API has no other way in. */
import { type JWTPayload, SignJWT } from 'jose';

/** The development user's access token; the API takes it for Supabase's, whose address is the issuer. */
export function mintUserToken(
  jwtSecret: string,
  user: { readonly id: string; readonly supabaseUrl: string; readonly operator?: boolean },
): Promise<string> {
  const claims = {
    iss: `${user.supabaseUrl}/auth/v1`,
    aud: 'authenticated',
    role: 'authenticated',
    sub: user.id,
    ...(user.operator === true && { app_metadata: { intake_role: 'operator' } }),
  };
  return mint(jwtSecret, claims, '30 days');
}

/** Key of the storage stand-in, in the JWT form of Supabase's service key. */
export function mintServiceKey(jwtSecret: string): Promise<string> {
  return mint(jwtSecret, { iss: 'supabase', role: 'service_role' }, '10 years');
}

function mint(jwtSecret: string, claims: JWTPayload, lifetime: string): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuedAt()
    .setExpirationTime(lifetime)
    .sign(new TextEncoder().encode(jwtSecret));
}
