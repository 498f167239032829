from _clearing_shop import shop
from _world import checkout, provider, provider_url, world

__all__ = ["checkout", "provider", "provider_url", "shop", "world"]
