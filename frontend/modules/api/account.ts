// Accounts: who is here, signing in and out, tokens for scripts.
import { request } from './request';
import type { Health, NewToken, Session, Token, Verified, Version } from './types';

const auth = '/api/auth';

export const health = (signal?: AbortSignal): Promise<Health> => request('/api/health', { signal, quiet: true });

export const version = (signal?: AbortSignal): Promise<Version> => request('/api/version', { signal, quiet: true });

export const verify = (signal?: AbortSignal): Promise<Verified> => request(`${auth}/verify`, { signal, quiet: true });

export const login = (username: string, password: string): Promise<void> => request(`${auth}/login`, { method: 'POST', body: { username, password, mode: 'cookie' }, quiet: true });

export const register = (username: string, password: string, setupToken: string, invite: string): Promise<void> =>
  request(`${auth}/register`, { method: 'POST', body: { username, password, mode: 'cookie', ...(setupToken ? { setup_token: setupToken } : {}), ...(invite ? { invite } : {}) }, quiet: true });

export const logout = (everywhere: boolean): Promise<void> => request(`${auth}/${everywhere ? 'logout-all' : 'logout'}`, { method: 'POST', quiet: true });

export const password = (current: string, next: string): Promise<void> => request(`${auth}/password`, { method: 'POST', body: { old_password: current, new_password: next }, quiet: true });

export const tokens = async (signal?: AbortSignal): Promise<Token[]> => (await request<{ items: Token[] }>(`${auth}/tokens`, { signal })).items;

export const newToken = (name: string, scopes: string[], days: number): Promise<NewToken> => request(`${auth}/tokens`, { method: 'POST', body: { name, scopes, expires_in: days * 86_400 } });

export const revoke = (id: string): Promise<void> => request(`${auth}/tokens/${encodeURIComponent(id)}`, { method: 'DELETE' });

export const sessions = async (signal?: AbortSignal): Promise<Session[]> => (await request<{ items: Session[] }>(`${auth}/sessions`, { signal })).items;

export const endSession = (id: string): Promise<void> => request(`${auth}/sessions/${encodeURIComponent(id)}`, { method: 'DELETE' });

export const invite = (): Promise<{ invite: string; expires_at: string }> => request(`${auth}/invites`, { method: 'POST' });
