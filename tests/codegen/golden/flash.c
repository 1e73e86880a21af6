/* (kernel flash (syms B T (D :is 64))
 *   (bufs (Q f32 B T D) (Kx f32 B T D) (V f32 B T D) (O f32 B T D))
 *   (axes (h B) (i T) (j (add i 1)) (jj (add i 1)) (c D) (e D) (c2 D) (j2 T))
 *   (def kt (h c2 j2) (load Kx h j2 c2))
 *   (def s (h i j) (sum (c) (mul (load Q h i c) (kt h c j))))
 *   (def sv (h i j) (mul 0.125 (s h i j)))
 *   (def m (h i) (max (j) (sv h i j)))
 *   (def p (h i j) (exp (sub (sv h i j) (m h i))))
 *   (def l (h i) (sum (j) (p h i j)))
 *   (def o (h i e) (sum (jj) (mul (p h i jj) (load V h jj e))))
 *   (store set O (h i e) (div (o h i e) (l h i)))) */
void flash_0(void *const *arg, const int64_t *sym, int64_t part)
{
    const float *const Q = (const float *)arg[0];
    const float *const Kx = (const float *)arg[1];
    const float *const V = (const float *)arg[2];
    float *const O = (float *)arg[3];
    float *const kt = (float *)arg[4];
    const int64_t T = sym[1];
    const int64_t h = part;
    for (int64_t jp = 0; jp < (T + 31)/32; jp++) {
        for (int64_t c0 = 0; c0 < 4; c0++) {
            gn_tr16_f32(kt + 2048*jp + 512*c0, 32, Kx + 64*T*h + 2048*jp + 16*c0, 64, 16, T - 32*jp);
            gn_tr16_f32(kt + 2048*jp + 512*c0 + 16, 32, Kx + 64*T*h + 2048*jp + 16*c0 + 1024, 64, 16, T - 32*jp - 16);
        }
    }
    const int64_t row_8 = 64*T*h;
    for (int64_t ir = 0; ir < (T + 1)/2; ir++) {
        float m_0 = (-GN_INF_F32);
        float m_1 = (-GN_INF_F32);
        gn_f32x16 l_a_0 = gn_splat_f32x16(0.0f);
        gn_f32x16 l_a_1 = gn_splat_f32x16(0.0f);
        gn_f32x16 o[2][4];
        o[0][0] = gn_splat_f32x16(0.0f);
        o[0][1] = gn_splat_f32x16(0.0f);
        o[0][2] = gn_splat_f32x16(0.0f);
        o[0][3] = gn_splat_f32x16(0.0f);
        o[1][0] = gn_splat_f32x16(0.0f);
        o[1][1] = gn_splat_f32x16(0.0f);
        o[1][2] = gn_splat_f32x16(0.0f);
        o[1][3] = gn_splat_f32x16(0.0f);
        const _Bool s1 = 2*ir < T;
        const _Bool s2 = 2*ir + 1 < T;
        float m_c_0, m_c_1;
        for (int64_t j0 = 0; j0 < ir/16; j0++) {
            _Alignas(64) float p[64];
            gn_f32x16 s_0_0 = gn_splat_f32x16(0.0f);
            gn_f32x16 s_0_1 = gn_splat_f32x16(0.0f);
            gn_f32x16 s_1_0 = gn_splat_f32x16(0.0f);
            gn_f32x16 s_1_1 = gn_splat_f32x16(0.0f);
            const int64_t row = 64*T*h + 64*gn_min_i64(T - 1, 2*ir);
            const int64_t row_2 = 64*T*h + 64*gn_min_i64(T - 1, 2*ir + 1);
            GN_UNROLL(4)
            for (int64_t c = 0; c < 64; c++) {
                const float s3 = Q[row + c];
                const gn_f32x16 v4 = gn_load_f32x16(kt + 2048*j0 + 32*c);
                s_0_0 = gn_fma_f32x16(gn_splat_f32x16(s3), v4, s_0_0);
                const gn_f32x16 v6 = gn_load_f32x16(kt + 2048*j0 + 32*c + 16);
                s_0_1 = gn_fma_f32x16(gn_splat_f32x16(s3), v6, s_0_1);
                const float s8 = Q[row_2 + c];
                s_1_0 = gn_fma_f32x16(gn_splat_f32x16(s8), v4, s_1_0);
                s_1_1 = gn_fma_f32x16(gn_splat_f32x16(s8), v6, s_1_1);
            }
            gn_f32x16 sv_0_0 = gn_splat_f32x16(0.125f) * s_0_0;
            gn_f32x16 sv_0_1 = gn_splat_f32x16(0.125f) * s_0_1;
            gn_f32x16 sv_1_0 = gn_splat_f32x16(0.125f) * s_1_0;
            gn_f32x16 sv_1_1 = gn_splat_f32x16(0.125f) * s_1_1;
            gn_f32x16 mb_a_0 = sv_0_0;
            mb_a_0 = gn_max_f32x16(mb_a_0, sv_0_1);
            gn_f32x16 mb_a_1 = sv_1_0;
            mb_a_1 = gn_max_f32x16(mb_a_1, sv_1_1);
            float mb_0 = gn_hmax_f32x16(mb_a_0);
            float mb_1 = gn_hmax_f32x16(mb_a_1);
            const float s21 = gn_max_f32(m_0, mb_0);
            const float s22 = gn_max_f32(s21, (-3.4028235e+38f));
            const float s23 = m_0 - s22;
            const float s24 = gn_exp_f32(s23);
            m_0 = s21;
            m_c_0 = s24;
            const float s25 = gn_max_f32(m_1, mb_1);
            const float s26 = gn_max_f32(s25, (-3.4028235e+38f));
            const float s27 = m_1 - s26;
            const float s28 = gn_exp_f32(s27);
            m_1 = s25;
            m_c_1 = s28;
            const float s29 = gn_max_f32(m_0, (-3.4028235e+38f));
            const gn_f32x16 v30 = sv_0_0 - gn_splat_f32x16(s29);
            const gn_f32x16 v31 = gn_exp_f32x16(v30);
            const gn_f32x16 v32 = s1 ? v31 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p, v32);
            const gn_f32x16 v33 = sv_0_1 - gn_splat_f32x16(s29);
            const gn_f32x16 v34 = gn_exp_f32x16(v33);
            const gn_f32x16 v35 = s1 ? v34 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 16, v35);
            const float s36 = gn_max_f32(m_1, (-3.4028235e+38f));
            const gn_f32x16 v37 = sv_1_0 - gn_splat_f32x16(s36);
            const gn_f32x16 v38 = gn_exp_f32x16(v37);
            const gn_f32x16 v39 = s2 ? v38 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 32, v39);
            const gn_f32x16 v40 = sv_1_1 - gn_splat_f32x16(s36);
            const gn_f32x16 v41 = gn_exp_f32x16(v40);
            const gn_f32x16 v42 = s2 ? v41 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 48, v42);
            l_a_0 = l_a_0 * gn_splat_f32x16(m_c_0);
            l_a_1 = l_a_1 * gn_splat_f32x16(m_c_1);
            l_a_0 = l_a_0 + v32;
            l_a_0 = l_a_0 + v35;
            l_a_1 = l_a_1 + v39;
            l_a_1 = l_a_1 + v42;
            GN_UNROLLED(4)
            for (int64_t eu = 0; eu < 4; eu++) {
                o[0][eu] = o[0][eu] * gn_splat_f32x16(m_c_0);
                o[1][eu] = o[1][eu] * gn_splat_f32x16(m_c_1);
            }
            const int64_t row_3 = 64*T*h + 2048*j0;
            GN_UNROLL(4)
            for (int64_t jq = 0; jq < 32; jq++) {
                const float s51 = p[jq];
                const float s54 = p[jq + 32];
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    const gn_f32x16 v52 = gn_load_f32x16(V + row_3 + 64*jq + 16*eu);
                    o[0][eu] = gn_fma_f32x16(gn_splat_f32x16(s51), v52, o[0][eu]);
                    o[1][eu] = gn_fma_f32x16(gn_splat_f32x16(s54), v52, o[1][eu]);
                }
            }
        }
        for (int64_t j0 = ir/16; j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir + 1), 32) + 1; j0++) {
            _Alignas(64) float p[64];
            gn_f32x16 s_0_0 = gn_splat_f32x16(0.0f);
            gn_f32x16 s_0_1 = gn_splat_f32x16(0.0f);
            gn_f32x16 s_1_0 = gn_splat_f32x16(0.0f);
            gn_f32x16 s_1_1 = gn_splat_f32x16(0.0f);
            const gn_b16 m56 = gn_below_b16(gn_min_i64(T - 1, 2*ir) + 1 - 32*j0);
            const gn_b16 m57 = gn_below_b16(gn_min_i64(T - 1, 2*ir) - 32*j0 - 15);
            const gn_b16 m58 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0);
            const gn_b16 m59 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) - 32*j0 - 15);
            const int64_t row_4 = 64*T*h + 64*gn_min_i64(T - 1, 2*ir);
            const int64_t row_5 = 64*T*h + 64*gn_min_i64(T - 1, 2*ir + 1);
            GN_UNROLL(4)
            for (int64_t c = 0; c < 64; c++) {
                const float s60 = Q[row_4 + c];
                const gn_f32x16 v61 = gn_loadm_f32x16(kt, 2048*j0 + 32*c, m56);
                s_0_0 = gn_fma_f32x16(gn_splat_f32x16(s60), v61, s_0_0);
                const gn_f32x16 v63 = gn_loadm_f32x16(kt, 2048*j0 + 32*c + 16, m57);
                s_0_1 = gn_fma_f32x16(gn_splat_f32x16(s60), v63, s_0_1);
                const float s65 = Q[row_5 + c];
                const gn_f32x16 v66 = gn_loadm_f32x16(kt, 2048*j0 + 32*c, m58);
                s_1_0 = gn_fma_f32x16(gn_splat_f32x16(s65), v66, s_1_0);
                const gn_f32x16 v68 = gn_loadm_f32x16(kt, 2048*j0 + 32*c + 16, m59);
                s_1_1 = gn_fma_f32x16(gn_splat_f32x16(s65), v68, s_1_1);
            }
            gn_f32x16 sv_0_0 = gn_splat_f32x16(0.125f) * s_0_0;
            gn_f32x16 sv_0_1 = gn_splat_f32x16(0.125f) * s_0_1;
            gn_f32x16 sv_1_0 = gn_splat_f32x16(0.125f) * s_1_0;
            gn_f32x16 sv_1_1 = gn_splat_f32x16(0.125f) * s_1_1;
            const gn_f32x16 v74 = sv_0_0;
            gn_f32x16 mb_a_0 = gn_sel_f32x16(m56, v74, gn_splat_f32x16(-GN_INF_F32));
            const gn_f32x16 v76 = gn_max_f32x16(mb_a_0, sv_0_1);
            mb_a_0 = gn_sel_f32x16(m57, v76, mb_a_0);
            const gn_f32x16 v78 = sv_1_0;
            gn_f32x16 mb_a_1 = gn_sel_f32x16(m58, v78, gn_splat_f32x16(-GN_INF_F32));
            const gn_f32x16 v80 = gn_max_f32x16(mb_a_1, sv_1_1);
            mb_a_1 = gn_sel_f32x16(m59, v80, mb_a_1);
            float mb_0 = gn_hmax_f32x16(mb_a_0);
            float mb_1 = gn_hmax_f32x16(mb_a_1);
            const float s84 = gn_max_f32(m_0, mb_0);
            const _Bool s85 = j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir), 32) + 1;
            const float s86 = s85 ? s84 : m_0;
            const float s87 = gn_max_f32(s84, (-3.4028235e+38f));
            const float s88 = m_0 - s87;
            const float s89 = gn_exp_f32(s88);
            const float s90 = s85 ? s89 : 1.0f;
            m_0 = s86;
            m_c_0 = s90;
            const float s91 = gn_max_f32(m_1, mb_1);
            const _Bool s92 = j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir + 1), 32) + 1;
            const float s93 = s92 ? s91 : m_1;
            const float s94 = gn_max_f32(s91, (-3.4028235e+38f));
            const float s95 = m_1 - s94;
            const float s96 = gn_exp_f32(s95);
            const float s97 = s92 ? s96 : 1.0f;
            m_1 = s93;
            m_c_1 = s97;
            const float s98 = gn_max_f32(m_0, (-3.4028235e+38f));
            const gn_f32x16 v99 = sv_0_0 - gn_splat_f32x16(s98);
            const gn_f32x16 v100 = gn_exp_f32x16(v99);
            const gn_f32x16 v101 = gn_sel_f32x16(m56, v100, gn_splat_f32x16(0.0f));
            const gn_f32x16 v102 = s1 ? v101 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p, v102);
            const gn_f32x16 v103 = sv_0_1 - gn_splat_f32x16(s98);
            const gn_f32x16 v104 = gn_exp_f32x16(v103);
            const gn_f32x16 v105 = gn_sel_f32x16(m57, v104, gn_splat_f32x16(0.0f));
            const gn_f32x16 v106 = s1 ? v105 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 16, v106);
            const float s107 = gn_max_f32(m_1, (-3.4028235e+38f));
            const gn_f32x16 v108 = sv_1_0 - gn_splat_f32x16(s107);
            const gn_f32x16 v109 = gn_exp_f32x16(v108);
            const gn_f32x16 v110 = gn_sel_f32x16(m58, v109, gn_splat_f32x16(0.0f));
            const gn_f32x16 v111 = s2 ? v110 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 32, v111);
            const gn_f32x16 v112 = sv_1_1 - gn_splat_f32x16(s107);
            const gn_f32x16 v113 = gn_exp_f32x16(v112);
            const gn_f32x16 v114 = gn_sel_f32x16(m59, v113, gn_splat_f32x16(0.0f));
            const gn_f32x16 v115 = s2 ? v114 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 48, v115);
            l_a_0 = l_a_0 * gn_splat_f32x16(m_c_0);
            l_a_1 = l_a_1 * gn_splat_f32x16(m_c_1);
            const gn_f32x16 v118 = l_a_0 + v102;
            l_a_0 = gn_sel_f32x16(m56, v118, l_a_0);
            const gn_f32x16 v120 = l_a_0 + v106;
            l_a_0 = gn_sel_f32x16(m57, v120, l_a_0);
            const gn_f32x16 v122 = l_a_1 + v111;
            l_a_1 = gn_sel_f32x16(m58, v122, l_a_1);
            const gn_f32x16 v124 = l_a_1 + v115;
            l_a_1 = gn_sel_f32x16(m59, v124, l_a_1);
            GN_UNROLLED(4)
            for (int64_t eu = 0; eu < 4; eu++) {
                o[0][eu] = o[0][eu] * gn_splat_f32x16(m_c_0);
                o[1][eu] = o[1][eu] * gn_splat_f32x16(m_c_1);
            }
            const int64_t row_6 = 64*T*h + 2048*j0;
            GN_UNROLL(4)
            for (int64_t jq = 0; jq < 2*ir + 1 - 32*j0; jq++) {
                const float s128 = p[jq];
                const float s131 = p[jq + 32];
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    const gn_f32x16 v129 = gn_load_f32x16(V + row_6 + 64*jq + 16*eu);
                    o[0][eu] = gn_fma_f32x16(gn_splat_f32x16(s128), v129, o[0][eu]);
                    o[1][eu] = gn_fma_f32x16(gn_splat_f32x16(s131), v129, o[1][eu]);
                }
            }
            const int64_t row_7 = 64*T*h;
            GN_UNROLL(4)
            for (int64_t jq = 2*ir + 1 - 32*j0; jq < gn_min_i64(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0, 32); jq++) {
                const float s133 = p[jq];
                const _Bool s134 = 32*j0 + jq < gn_min_i64(T - 1, 2*ir) + 1;
                const float s138 = p[jq + 32];
                const _Bool s139 = 32*j0 + jq < gn_min_i64(T - 1, 2*ir + 1) + 1;
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    const gn_f32x16 v135 = gn_load_f32x16(V + row_7 + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir, 32*j0 + jq))) + 16*eu);
                    const gn_f32x16 v136 = gn_fma_f32x16(gn_splat_f32x16(s133), v135, o[0][eu]);
                    o[0][eu] = s134 ? v136 : o[0][eu];
                    const gn_f32x16 v140 = gn_load_f32x16(V + row_7 + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir + 1, 32*j0 + jq))) + 16*eu);
                    const gn_f32x16 v141 = gn_fma_f32x16(gn_splat_f32x16(s138), v140, o[1][eu]);
                    o[1][eu] = s139 ? v141 : o[1][eu];
                }
            }
        }
        float l_0 = gn_hsum_f32x16(l_a_0);
        float l_1 = gn_hsum_f32x16(l_a_1);
        const gn_f32x16 v145 = o[0][0] / gn_splat_f32x16(l_0);
        const gn_f32x16 v146 = o[0][1] / gn_splat_f32x16(l_0);
        const gn_f32x16 v147 = o[0][2] / gn_splat_f32x16(l_0);
        const gn_f32x16 v148 = o[0][3] / gn_splat_f32x16(l_0);
        if (2*ir < T) {
            gn_store_f32x16(O + row_8 + 128*ir, v145);
            gn_store_f32x16(O + row_8 + 128*ir + 16, v146);
            gn_store_f32x16(O + row_8 + 128*ir + 32, v147);
            gn_store_f32x16(O + row_8 + 128*ir + 48, v148);
        }
        const gn_f32x16 v149 = o[1][0] / gn_splat_f32x16(l_1);
        const gn_f32x16 v150 = o[1][1] / gn_splat_f32x16(l_1);
        const gn_f32x16 v151 = o[1][2] / gn_splat_f32x16(l_1);
        const gn_f32x16 v152 = o[1][3] / gn_splat_f32x16(l_1);
        if (2*ir + 1 < T) {
            gn_store_f32x16(O + row_8 + 128*ir + 64, v149);
            gn_store_f32x16(O + row_8 + 128*ir + 80, v150);
            gn_store_f32x16(O + row_8 + 128*ir + 96, v151);
            gn_store_f32x16(O + row_8 + 128*ir + 112, v152);
        }
    }
}
