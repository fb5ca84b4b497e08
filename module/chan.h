/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KCHAN_CHAN_H
#define _KCHAN_CHAN_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/types.h>

#include <uapi/linux/kchan.h>

#include "object.h"
#include "quota.h"
#include "wait.h"

/**
 * struct kchan_chan - a channel
 * @obj: what every object has; its lock guards all below that is not constant
 * @elem_size: bytes in a message; constant
 * @capacity: messages buffered at most; constant
 * @ring: @capacity + 1 slots; the one behind the last message is always free,
 *	and a message on its way in is put there before anything is decided
 * @head: slot of the oldest message
 * @count: messages in @ring
 * @returned: messages that left and came back, older than those in @ring
 * @nr_returned: how many
 * @in_hand: messages handed to receivers who have yet to take them
 * @last_seq: the number of the last message handed over
 * @senders: parked senders; none while there is room
 * @receivers: parked receivers; none while there is a message
 * @send_handles: handles that can send; never grows again from 0
 * @recv_handles: handles that can receive; likewise
 * @closed: KCHAN_CLOSE was called
 * @user: who is charged; constant
 */
struct kchan_chan {
	struct kchan_object obj;
	u32 elem_size;
	u32 capacity;
	void *ring;
	u32 head;
	u32 count;
	struct list_head returned;
	u32 nr_returned;
	u32 in_hand;
	u64 last_seq;
	struct kchan_queue senders;
	struct kchan_queue receivers;
	u32 send_handles;
	u32 recv_handles;
	bool closed;
	struct kchan_user *user;
};

struct kchan_chan *kchan_chan_new(u32 elem_size, u32 capacity);
void kchan_chan_put(struct kchan_chan *chan);
void kchan_chan_get_handle(struct kchan_chan *chan, fmode_t rights);
void kchan_chan_put_handle(struct kchan_chan *chan, fmode_t rights);

int kchan_chan_send(struct kchan_chan *chan, const void __user *msg,
		    const struct kchan_deadline *deadline);
int kchan_chan_recv(struct kchan_chan *chan, void __user *msg,
		    const struct kchan_deadline *deadline);
int kchan_chan_close(struct kchan_chan *chan);

void kchan_chan_stat(struct kchan_chan *chan, struct kchan_stat *stat);
__poll_t kchan_chan_ready(struct kchan_chan *chan, fmode_t rights);

int kchan_chan_init(void);
void kchan_chan_exit(void);

#endif /* _KCHAN_CHAN_H */
