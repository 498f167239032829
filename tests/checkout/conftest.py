from _world import checkout, provider, provider_url, shop, world

__all__ = ["checkout", "provider", "provider_url", "shop", "world"]
