"""Check out with Django's ORM, as its documentation has it: a cart a line of input.

python -S by_django.py URL, with PYTHONPATH naming the packages of django.lock
"""

from __future__ import annotations

import json
import sys
import uuid
from time import perf_counter, process_time
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings

parts = urlsplit(sys.argv[1])
settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path[1:],
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname,
            "PORT": parts.port,
        }
    },
    USE_TZ=True,
)
django.setup()

from django.db import models, transaction  # noqa: E402 - once it is set up
from django.db.models.functions import Now  # noqa: E402


class User(models.Model):
    """A row of users."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    crossmint_user_id = models.TextField()
    email = models.TextField(null=True)
    wallet_address = models.TextField(null=True)
    wallet_status = models.TextField()
    display_name = models.TextField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """The table is there already, as those of the other models are."""

        app_label = "shop"
        managed = False
        db_table = "users"


class Product(models.Model):
    """What an item in a cart and an order's snapshot have in common."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    product_id = models.TextField()
    product_name = models.TextField()
    price = models.IntegerField()
    image = models.TextField(null=True)
    product_url = models.TextField(null=True)
    size = models.TextField(null=True)
    color = models.TextField(null=True)
    retailer = models.TextField(null=True)
    on_chain_object_id = models.TextField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """No table of its own."""

        abstract = True


class CartItem(Product):
    """A row of cart_items."""

    user = models.ForeignKey(User, models.CASCADE)
    tx_digest = models.TextField(null=True)
    deleted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """As above."""

        app_label = "shop"
        managed = False
        db_table = "cart_items"


class Order(models.Model):
    """A row of orders."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user = models.ForeignKey(User, models.CASCADE)
    type = models.TextField()
    crossmint_order_id = models.TextField(null=True)
    status = models.TextField(default="awaiting_approval")
    amount_usdc = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    quoted_usdc = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    received_usdc = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    tx_hash = models.TextField(null=True)
    payment_hash = models.TextField(null=True)
    checkout_id = models.UUIDField(null=True)
    settled_at = models.DateTimeField(null=True)
    on_chain = models.BooleanField(default=False)
    paid_late = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """As above."""

        app_label = "shop"
        managed = False
        db_table = "orders"


class OrderItem(Product):
    """A row of order_items."""

    order = models.ForeignKey(Order, models.CASCADE)
    cart_item = models.ForeignKey(CartItem, models.SET_NULL, null=True)

    class Meta:
        """As above."""

        app_label = "shop"
        managed = False
        db_table = "order_items"


KEPT = [
    field.name
    for field in Product._meta.get_fields()
    if field.name not in {"id", "created_at"}
]


def checkout(cart: dict[str, object]) -> object:
    """Lock the user, load the items, add orders and snapshots, mark the items."""
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=cart["user_id"])
        in_cart = CartItem.objects.filter(user=user, deleted_at=None)
        items = in_cart.in_bulk(cart["item_ids"])
        checkout_id = uuid.uuid4()
        orders = Order.objects.bulk_create(
            Order(
                user=user,
                type="checkout",
                checkout_id=checkout_id,
                crossmint_order_id=crossmint_order_id,
                amount_usdc=amount,
                quoted_usdc=amount,
            )
            for crossmint_order_id, amount in zip(
                cart["crossmint_order_ids"], cart["amounts"], strict=True
            )
        )
        bought = [items[uuid.UUID(item_id)] for item_id in cart["item_ids"]]
        snapshots = OrderItem.objects.bulk_create(
            OrderItem(
                order=order,
                cart_item=item,
                **{name: getattr(item, name) for name in KEPT},
            )
            for order, item in zip(orders, bought, strict=True)
        )
        in_cart.filter(pk__in=cart["item_ids"]).update(deleted_at=Now())
        return orders, snapshots


for line in sys.stdin:
    piece = json.loads(line)
    start, start_busy = perf_counter(), process_time()
    checkout(piece)
    answer = {"elapsed": perf_counter() - start, "busy": process_time() - start_busy}
    print(json.dumps(answer), flush=True)
