/* (kernel softmax (syms R C)
 *   (bufs (X f32 R C) (Y f32 R C))
 *   (axes (i R) (j C))
 *   (def m (i) (max (j) (load X i j)))
 *   (def e (i j) (exp (sub (load X i j) (m i))))
 *   (def s (i) (sum (j) (e i j)))
 *   (store set Y (i j) (mul (e i j) (div 1.0 (s i))))) */
void softmax_0(void *const *arg, const int64_t *sym, int64_t part)
{
    const float *const X = (const float *)arg[0];
    float *const Y = (float *)arg[1];
    float *const e = (float *)arg[2];
    const int64_t R = sym[0];
    const int64_t C = sym[1];
    const int64_t ip = part;
    for (int64_t ii = 0; ii < gn_min_i64(R - 16*ip, 16); ii++) {
        gn_f32x16 m_a[4];
        m_a[0] = gn_splat_f32x16(-GN_INF_F32);
        m_a[1] = gn_splat_f32x16(-GN_INF_F32);
        m_a[2] = gn_splat_f32x16(-GN_INF_F32);
        m_a[3] = gn_splat_f32x16(-GN_INF_F32);
        const int64_t row = 16*C*ip + C*ii;
        for (int64_t j0 = 0; j0 < C/64; j0++) {
            GN_UNROLLED(4)
            for (int64_t ju = 0; ju < 4; ju++) {
                const gn_f32x16 v1 = gn_load_f32x16(X + row + 64*j0 + 16*ju);
                m_a[ju] = gn_max_f32x16(m_a[ju], v1);
            }
        }
        for (int64_t j0 = C/64; j0 < (C + 63)/64; j0++) {
            GN_UNROLLED(4)
            for (int64_t ju = 0; ju < 4; ju++) {
                const gn_b16 m3 = gn_below_b16(C - 64*j0 - 16*ju);
                const gn_f32x16 v4 = gn_loadm_f32x16(X, row + 64*j0 + 16*ju, m3);
                const gn_f32x16 v5 = gn_max_f32x16(m_a[ju], v4);
                m_a[ju] = gn_sel_f32x16(m3, v5, m_a[ju]);
            }
        }
        const gn_f32x16 v7 = gn_max_f32x16(m_a[0], m_a[1]);
        const gn_f32x16 v8 = gn_max_f32x16(m_a[2], m_a[3]);
        const gn_f32x16 v9 = gn_max_f32x16(v7, v8);
        float m = gn_hmax_f32x16(v9);
        gn_f32x16 s_a[4];
        s_a[0] = gn_splat_f32x16(0.0f);
        s_a[1] = gn_splat_f32x16(0.0f);
        s_a[2] = gn_splat_f32x16(0.0f);
        s_a[3] = gn_splat_f32x16(0.0f);
        for (int64_t j0 = 0; j0 < C/64; j0++) {
            GN_UNROLLED(4)
            for (int64_t ju = 0; ju < 4; ju++) {
                const gn_f32x16 v11 = gn_load_f32x16(X + row + 64*j0 + 16*ju);
                const gn_f32x16 v12 = v11 - gn_splat_f32x16(m);
                const gn_f32x16 v13 = gn_exp_f32x16(v12);
                gn_store_f32x16(e + 64*j0 + 16*ju, v13);
                s_a[ju] = s_a[ju] + v13;
            }
        }
        for (int64_t j0 = C/64; j0 < (C + 63)/64; j0++) {
            GN_UNROLLED(4)
            for (int64_t ju = 0; ju < 4; ju++) {
                const gn_b16 m15 = gn_below_b16(C - 64*j0 - 16*ju);
                const gn_f32x16 v16 = gn_loadm_f32x16(X, row + 64*j0 + 16*ju, m15);
                const gn_f32x16 v17 = v16 - gn_splat_f32x16(m);
                const gn_f32x16 v18 = gn_exp_f32x16(v17);
                const gn_f32x16 v19 = gn_sel_f32x16(m15, v18, gn_splat_f32x16(0.0f));
                gn_store_f32x16(e + 64*j0 + 16*ju, v19);
                const gn_f32x16 v20 = s_a[ju] + v19;
                s_a[ju] = gn_sel_f32x16(m15, v20, s_a[ju]);
            }
        }
        const gn_f32x16 v22 = s_a[0] + s_a[1];
        const gn_f32x16 v23 = s_a[2] + s_a[3];
        const gn_f32x16 v24 = v22 + v23;
        float s = gn_hsum_f32x16(v24);
        for (int64_t j0 = 0; j0 < C/64; j0++) {
            const float s26 = 1.0f / s;
            GN_UNROLLED(4)
            for (int64_t ju = 0; ju < 4; ju++) {
                const gn_f32x16 v27 = gn_load_f32x16(e + 64*j0 + 16*ju);
                gn_store_f32x16(Y + row + 64*j0 + 16*ju, v27 * gn_splat_f32x16(s26));
            }
        }
        for (int64_t j0 = C/64; j0 < (C + 63)/64; j0++) {
            const float s29 = 1.0f / s;
            GN_UNROLLED(4)
            for (int64_t ju = 0; ju < 4; ju++) {
                const gn_f32x16 v30 = gn_load_f32x16(e + 64*j0 + 16*ju);
                const gn_f32x16 v31 = v30 * gn_splat_f32x16(s29);
                const gn_b16 m32 = gn_below_b16(C - 64*j0 - 16*ju);
                gn_storem_f32x16(Y, row + 64*j0 + 16*ju, v31, m32);
            }
        }
    }
}
