"""The hub: stores sealed bundles that it cannot open, decides by the charter, logs every act."""
